"""The site: Flask behind gunicorn. `create_app` builds it; importing does no work."""

from pathlib import Path

from flask import Flask

from cloudfilm.keys import Keys
from cloudfilm.settings import Settings

ROOT = Path(__file__).resolve().parents[2]  # templates/ and static/ lie beside the package
_LARGEST_FORM = 64 * 1024


def create_app(settings: Settings, keys: Keys) -> Flask:
    """The site of one installation. Raises PolicyIncomplete, RecordsUnavailable, SettingWrong."""
    from cloudfilm.archive import connect
    from cloudfilm.records.database import open_database

    from . import (
        access,
        address,
        compression,
        desk,
        errors,
        film,
        filmsession,
        finance,
        forms,
        headers,
        installation,
        language,
        link,
        patient,
        policy,
        public,
        series,
        shown,
        staff,
        staffsession,
        staticfiles,
    )

    app = Flask("cloudfilm", template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=_LARGEST_FORM, MAX_FORM_PARTS=100, MAX_FORM_MEMORY_SIZE=_LARGEST_FORM)
    app.url_map.merge_slashes = False  # no redirect may be built from a stranger's path
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    site = installation.Installation(settings, keys, open_database(settings.database), connect(settings))
    installation.attach(app, site)

    # Order matters. Before the view: host, language, form token, right. After it, in reverse: access log last of all.
    access.log_requests(app)
    headers.send_on_every_answer(app, https=site.https)
    compression.compress_text(app)
    address.only_this_host(app)
    language.speak(app)
    forms.check_every_post(app)
    shown.show(app)
    errors.answer_errors(app)
    staticfiles.serve(app, ROOT / "static")
    app.jinja_env.globals.update(csrf_token=forms.token, csp_nonce=headers.nonce)
    app.context_processor(lambda: {"hospital": settings.hospital_name, "phone": settings.hospital_phone})

    for part in (public, patient, film, series, staff, desk, finance):
        app.register_blueprint(part.blueprint)
    guards = {policy.Who.LINK: link.guard, policy.Who.FILM: filmsession.guard, policy.Who.STAFF: staffsession.guard}
    policy.enforce(app, guards)
    return app
