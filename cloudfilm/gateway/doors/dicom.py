"""The DICOM receiver: C-STORE and C-ECHO. Success is a promise: the instance survives a power cut (PS3.4 B.2.3).

Preferred transfer syntaxes come first, so that a sender that offers several sends what a phone can be shown cheaply (PIXELS.md 5).
"""

import logging
from typing import Any

from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID
from pynetdicom import AE, AllStoragePresentationContexts, _config, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from cloudfilm.settings import Settings

from ..intake import Intake, What
from ..spool import SpoolFull

log = logging.getLogger(__name__)

PREFERRED = (
    "1.2.840.10008.1.2.1",  # Explicit VR Little Endian
    "1.2.840.10008.1.2",  # Implicit VR Little Endian
    "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
)
OTHERS = (
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.53",
    "1.2.840.10008.1.2.4.55",
    "1.2.840.10008.1.2.4.100",
    "1.2.840.10008.1.2.4.101",
    "1.2.840.10008.1.2.4.102",
    "1.2.840.10008.1.2.4.103",
)
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
MAX_PDU = 131_072
MAX_ASSOCIATIONS = 32
_PREAMBLE = b"\0" * 128 + b"DICM"


class DicomDoor:
    """A running receiver; `close()` stops it."""

    def __init__(self, settings: Settings, intake: Intake) -> None:
        _config.LOG_HANDLER_LEVEL = "none"  # the stock handlers log every message, with names in it
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        self._intake = intake
        ae = AE(ae_title=settings.aet)
        ae.maximum_pdu_size = MAX_PDU
        ae.maximum_associations = MAX_ASSOCIATIONS
        ae.acse_timeout, ae.dimse_timeout, ae.network_timeout = 30, 60, 120
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(context.abstract_syntax, [*PREFERRED, *OTHERS])  # type: ignore[arg-type]
        ae.add_supported_context(Verification)
        handlers: list[Any] = [(evt.EVT_C_STORE, self._store), (evt.EVT_C_ECHO, lambda event: SUCCESS)]
        server = ae.start_server((settings.dicom_host, settings.dicom_port), block=False, evt_handlers=handlers)
        assert server is not None  # a non-blocking start returns the server
        self._server = server

    def _store(self, event: Any) -> int:
        request = event.request
        try:
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID = UID(request.AffectedSOPClassUID)
            meta.MediaStorageSOPInstanceUID = UID(request.AffectedSOPInstanceUID)
            meta.TransferSyntaxUID = UID(event.context.transfer_syntax)
            data = _PREAMBLE + _meta_bytes(meta) + request.DataSet.getvalue()
        except (ValueError, AttributeError, TypeError):
            return CANNOT_UNDERSTAND
        try:
            taken = self._intake.take_instance(data)
        except SpoolFull:
            log.error("the spool is full; the sender was told to send again")
            return OUT_OF_RESOURCES
        if taken.what is What.QUARANTINED:
            log.warning("an instance went to quarantine", extra={"reason": taken.note})
            return CANNOT_UNDERSTAND
        return SUCCESS

    def close(self) -> None:
        self._server.shutdown()


def _meta_bytes(meta: FileMetaDataset) -> bytes:
    """File meta information, explicit VR little endian (PS3.10 7.1)."""
    from pydicom.filebase import DicomBytesIO

    meta.FileMetaInformationVersion = b"\0\1"
    meta.ImplementationClassUID = UID("1.2.826.0.1.3680043.10.1629.1")
    meta.ImplementationVersionName = "CLOUDFILM"
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    write_file_meta_info(out, meta, enforce_standard=True)
    return bytes(out.getvalue())
