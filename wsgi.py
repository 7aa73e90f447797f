"""For other WSGI servers: `gunicorn wsgi:app`. `cloudfilm web` uses cloudfilm/web/server.py."""

from cloudfilm import keys, logs, settings
from cloudfilm.web import create_app

_settings = settings.read()
logs.start(_settings.log_level)
app = create_app(_settings, keys.load(_settings.home, _settings.keys))
