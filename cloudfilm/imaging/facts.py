"""What one instance says about its frames: place, scale, values, windows, time. Facts stay small: pixels are not in them."""

from dataclasses import dataclass

from cloudfilm.imaging.charset import decode_text
from cloudfilm.imaging.elements import Elements
from cloudfilm.imaging.frames import frames_of
from cloudfilm.imaging.geometry import Vector, is_orientation
from cloudfilm.imaging.header import Header, header_of
from cloudfilm.imaging.modality import Lut, modality_lut_of, padding_of, rescale_of
from cloudfilm.imaging.palette import Palette, palette_of
from cloudfilm.imaging.picture import CannotShow, Picture
from cloudfilm.imaging.spacing import Pair, SpacingSource, aspect_of, pair, spacing_of
from cloudfilm.imaging.windows import Window, windows_of

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
KEY_OBJECT = "1.2.840.10008.5.1.4.1.1.88.59"


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """One frame's place and values; of a classic instance, the instance's own."""

    position: Vector | None  # of the centre of the first pixel, mm, patient coordinates
    orientation: Vector | None
    spacing: Pair | None
    thickness: float | None
    slope: float
    intercept: float
    windows: tuple[Window, ...]
    moment: tuple[float, ...]  # what tells repeated positions apart: echo time, b-value, temporal position, acquisition number


@dataclass(frozen=True, slots=True)
class Facts:
    """One instance as the stacks need it."""

    header: Header
    sha256: str
    picture: Picture
    photometric: str  # of the cells as the phone gets them
    frames: tuple[FrameFacts, ...]
    spacing_source: SpacingSource
    aspect: float
    unit: str
    padding: tuple[int, int] | None
    lut: Lut | None  # modality LUT
    palette: Palette | None
    invert: bool
    localizer: bool
    patient_orientation: tuple[str, ...]
    frame_ms: float | None

    @property
    def colour(self) -> bool:
        return self.picture.samples == 3 or self.palette is not None


def facts_of(elements: Elements, sha256: str) -> Facts:
    """Raises NotDicom when the instance cannot be filed, CannotShow when it has nothing to draw."""
    header = header_of(elements)
    if header.sop_class_uid == SEGMENTATION:
        raise CannotShow("It is a segmentation, which has a meaning only over its picture.")
    frames = frames_of(elements)
    picture = frames.picture
    palette = palette_of(elements) if frames.photometric == "PALETTE COLOR" else None
    image_type = elements.words(0x00080008)
    localizer = "LOCALIZER" in image_type[2:3]
    charset = elements.words(0x00080005)
    per_frame, source, aspect = _frames(elements, header, frames.count, charset)
    return Facts(
        header=header,
        sha256=sha256,
        picture=picture,
        photometric=frames.photometric,
        frames=per_frame,
        spacing_source=source,
        aspect=aspect,
        unit=_unit(elements, header.modality, charset, localizer=localizer),
        padding=padding_of(elements, picture),
        lut=modality_lut_of(elements, picture) if picture.samples == 1 else None,
        palette=palette,
        invert=_inverted(elements, picture),
        localizer=localizer,
        patient_orientation=elements.words(0x00200020),
        frame_ms=_frame_ms(elements, frames.count),
    )


def key_references(elements: Elements) -> list[str]:
    """SOP Instance UIDs a Key Object Selection points at, in its order (PS3.3 C.17.2.1, Referenced SOP Sequence)."""
    found: list[str] = []
    for content in elements.items(0x0040A730, 1000):
        found.extend(uid for ref in content.items(0x00081199, 1000) if (uid := ref.text(0x00081155)))
    return found


def _frames(
    elements: Elements, header: Header, count: int, charset: tuple[str, ...]
) -> tuple[tuple[FrameFacts, ...], SpacingSource, float]:
    position, orientation = elements.reals(0x00200032), elements.reals(0x00200037)
    plane = is_orientation(orientation)
    spacing, source = spacing_of(elements, modality=header.modality, has_plane=plane)
    slope, intercept = rescale_of(elements) or (1.0, 0.0)
    whole = FrameFacts(
        position=position if len(position) == 3 and plane else None,
        orientation=orientation if plane else None,
        spacing=spacing,
        thickness=elements.real(0x00180050),
        slope=slope,
        intercept=intercept,
        windows=windows_of(elements, charset),
        moment=tuple(elements.real(tag) or 0.0 for tag in (0x00180081, 0x00189087, 0x00200100, 0x00200012)),
    )
    shared = elements.items(0x52009229, 1)
    per_frame = elements.items(0x52009230)
    if not shared and not per_frame:
        return (whole,) * count, source, aspect_of(elements, spacing)
    common = _merged(whole, shared[0], charset) if shared else whole
    found = [_merged(common, item, charset) for item in per_frame[:count]]
    found += [common] * (count - len(found))
    first = found[0].spacing
    if first is not None:
        source = SpacingSource.PIXEL
    return tuple(found), source, aspect_of(elements, first)


def _merged(base: FrameFacts, group: Elements, charset: tuple[str, ...]) -> FrameFacts:
    """A functional-group item over what is known; the per-frame item wins over the shared one (C.7.6.16)."""

    def one(tag: int) -> Elements | None:
        items = group.items(tag, 1)
        return items[0] if items else None

    position, orientation, spacing, thickness = base.position, base.orientation, base.spacing, base.thickness
    slope, intercept, windows, moment = base.slope, base.intercept, base.windows, list(base.moment)
    if (plane := one(0x00209113)) and len(found := plane.reals(0x00200032)) == 3:
        position = found
    if (direction := one(0x00209116)) and is_orientation(found := direction.reals(0x00200037)):
        orientation = found
    if measures := one(0x00289110):
        spacing = pair(measures.reals(0x00280030)) or spacing
        thickness = measures.real(0x00180050, thickness)
    if (values := one(0x00289145)) and (rescale := rescale_of(values)):
        slope, intercept = rescale
    if voi := one(0x00289132):
        windows = windows_of(voi, charset) or windows
    if (echo := one(0x00189114)) and (times := echo.doubles(0x00189082)):
        moment[0] = times[0]
    if diffusion := one(0x00189117):
        moment[1] = (diffusion.doubles(0x00189087) or (0.0,))[0]
    if content := one(0x00209111):
        moment[2] = float((content.longs(0x00209128) or (0,))[0])
        moment[3] = float(content.short(0x00209156))
    return FrameFacts(position, orientation, spacing, thickness, slope, intercept, windows, tuple(moment))


def _inverted(elements: Elements, picture: Picture) -> bool:
    """Presentation LUT Shape (2050,0020) decides where it is given, as in DCMTK: DX demands INVERSE with every MONOCHROME1 (C.8.11.3.1)
    and means one inversion by the two, not none. Without it, MONOCHROME1 inverts (C.7.6.3.1.2)."""
    shape = elements.text(0x20500020)
    return shape == "INVERSE" if shape in ("INVERSE", "IDENTITY") else picture.photometric == "MONOCHROME1"


def _unit(elements: Elements, modality: str, charset: tuple[str, ...], *, localizer: bool) -> str:
    """Rescale Type; CT without one is in HU unless it is a localizer; PET says its own unit (rule 3)."""
    said, _ = decode_text(elements.raw(0x00281054)[:64], charset)
    if said and said != "US":  # "US" is "unspecified"
        return said
    if modality == "PT":
        return elements.text(0x00541001)[:16]
    return "HU" if modality == "CT" and not localizer and 0x00281052 in elements else ""


def _frame_ms(elements: Elements, count: int) -> float | None:
    """Milliseconds a frame of a cine run takes (C.7.6.5); None for anything that is not one."""
    if count < 2:
        return None
    time = elements.real(0x00181063)
    vector = elements.reals(0x00181065)
    if not time and len(vector) > 1:
        time = sum(vector[1:]) / (len(vector) - 1)
    if not time:
        rate = elements.real(0x00082144) or elements.real(0x00180040)
        time = 1000 / rate if rate else None
    return round(time, 3) if time and 1 <= time <= 10_000 else None
