"""A chest made of formulas: one axial slice after another in Hounsfield units, the same numbers each time.

Coordinates are DICOM's, in millimetres: x to the patient's left, y to the back, z to the head. The picture of nobody.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ROWS = COLS = 512
PIXEL_MM = 0.74
TOP_MM, BOTTOM_MM = 6.0, -246.0  # z of the uppermost slice that shows everything, and of the lowest
CARINA_MM = -88.0
NODULE = (-52.0, -28.0, -70.0, 3.2)  # x, y, z, radius: right upper lobe; the report speaks of it
OUTSIDE = -3024.0  # beyond the circle that was reconstructed
AIR, FAT, MUSCLE, BLOOD, LIVER, LUNG = -1000.0, -98.0, 52.0, 43.0, 58.0, -868.0


@dataclass(frozen=True, slots=True)
class Tubes:
    """Balls in a row, close enough to be tubes. `points`: (n, 4) of x, y, z, radius."""

    points: NDArray[np.float64]

    def discs(self, z: float) -> NDArray[np.float64]:
        """Where plane z cuts the balls: (m, 3) of x, y, radius."""
        p = self.points
        cut = p[:, 3] ** 2 - (p[:, 2] - z) ** 2
        near = cut > 0
        return np.column_stack([p[near, 0], p[near, 1], np.sqrt(cut[near])])


class Thorax:
    """One chest. `slice_at(z)` gives rows x columns Hounsfield units, before noise."""

    def __init__(self, seed: int = 7) -> None:
        self._random = np.random.default_rng(seed)
        axis = (np.arange(COLS, dtype=np.float32) - (COLS - 1) / 2) * np.float32(PIXEL_MM)
        self._x, self._y = np.meshgrid(axis, axis)
        self._cloud = [self._clouds(scale) for scale in (5, 11, 34)]
        self._arteries = Tubes(np.vstack([self._tree(side, 1500, (side * 27.0, 2.0, -104.0), 0.46) for side in (-1, 1)]))
        self._airways = Tubes(np.vstack([self._bronchi(side) for side in (-1, 1)]))
        self._great = self._great_vessels()

    def _clouds(self, scale: float) -> Floats:
        """Smooth random field, mean 0, deviation 1; features about `scale` pixels wide."""
        return _filtered(self._random.standard_normal((ROWS, COLS)), lambda f: np.exp(-((f * scale * 2.2) ** 2)))

    @cached_property
    def _circle(self) -> NDArray[np.bool_]:
        return self._x**2 + self._y**2 > (PIXEL_MM * COLS / 2) ** 2

    # -- shapes: each is a signed distance in mm, negative inside ------------------------------------------------

    def _ellipse(self, cx: float, cy: float, a: float, b: float) -> Floats:
        dx, dy = (self._x - cx) / a, (self._y - cy) / b
        return (np.sqrt(dx * dx + dy * dy) - 1) * min(a, b)

    def _rod(self, ax: float, ay: float, bx: float, by: float, radius: float) -> Floats:
        px, py, dx, dy = self._x - ax, self._y - ay, bx - ax, by - ay
        t = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0, 1)
        return np.hypot(px - t * dx, py - t * dy) - radius

    @staticmethod
    def _girth(z: float) -> tuple[float, float]:
        """Half axes of the body: shoulders, chest, waist."""
        shoulder = np.exp(-(((z - 30) / 60) ** 2))
        return 164 + 12 * shoulder - 5 * np.exp(-(((z + 250) / 50) ** 2)), 113 - 9 * shoulder

    @staticmethod
    def _cage(z: float) -> tuple[float, float]:
        """Half axes of the space inside the ribs: a dome above, wide below."""
        t = np.clip((14 - z) / 120, 0.02, 1)
        return 132 * t**0.42 - 3, 88 * t**0.34

    # -- trees ---------------------------------------------------------------------------------------------------

    def _lung_points(self, side: int, count: int) -> NDArray[np.float64]:
        found: list[NDArray[np.float64]] = []
        while sum(map(len, found)) < count:
            p = self._random.uniform((-130, -86, -238), (130, 86, 10), (4000, 3))
            p[:, 0] = side * abs(p[:, 0])
            ab = np.array([self._cage(z) for z in p[:, 2]])
            inside = (p[:, 0] / (ab[:, 0] - 7)) ** 2 + (p[:, 1] / (ab[:, 1] - 6)) ** 2 < 1
            floor = _dome(p[:, 0], p[:, 1])
            wide = 24 + 34 * (p[:, 2] < -125) * (side > 0) * (p[:, 1] < 20)
            found.append(p[inside & (p[:, 2] > floor + 5) & (abs(p[:, 0]) > wide)])
        return np.vstack(found)[:count]

    def _tree(self, side: int, leaves: int, root: tuple[float, float, float], thin: float) -> NDArray[np.float64]:
        """Vessels from the hilum: each target joins the nearest twig, and a branch is as thick as what hangs on it (Murray)."""
        targets = self._lung_points(side, leaves)
        targets = targets[np.argsort(np.linalg.norm(targets - root, axis=1))]
        nodes, parent = [np.array(root)], [-1]
        for target in targets:
            have = np.array(nodes)
            reach = np.linalg.norm(have - target, axis=1)
            # Twigs leave forwards, away from the hilum: a small price for those that would have to turn back.
            outward = np.linalg.norm(have - root, axis=1)
            at = int(np.argmin(reach + 0.22 * outward))
            steps = max(1, int(reach[at] / 7))
            start, bend = have[at], self._random.normal(0, 0.07 * reach[at], 3)
            for step in range(1, steps + 1):
                t = step / steps
                nodes.append(start + (target - start) * t + bend * np.sin(np.pi * t))
                parent.append(at if step == 1 else len(nodes) - 2)
        load = np.ones(len(nodes))
        for i in range(len(nodes) - 1, 0, -1):
            load[parent[i]] += load[i]
        radius = thin * load ** (1 / 2.75)
        balls = []
        for i in range(1, len(nodes)):
            a, b, r = nodes[parent[i]], nodes[i], radius[i]
            n = max(2, int(np.linalg.norm(b - a) / max(0.6, r * 0.6)))
            t = np.linspace(0, 1, n)[:, None]
            balls.append(np.hstack([a + (b - a) * t, np.full((n, 1), min(r, 7.0))]))
        return np.vstack(balls)

    def _bronchi(self, side: int) -> NDArray[np.float64]:
        tree = self._tree(side, 60, (side * 30.0, 10.0, -106.0), 0.62)
        main = _path([(0, 14, CARINA_MM), (side * 14, 14, CARINA_MM - 12), (side * 30, 10, -106)], 6.2 if side < 0 else 5.6)
        return np.vstack([main, tree[tree[:, 3] > 0.95]])

    @staticmethod
    def _great_vessels() -> list[tuple[float, Tubes]]:
        aorta = [(-12, -30, -150), (-17, -32, -112), (-14, -28, -86), (-2, -16, -67), (12, 4, -62), (21, 24, -72), (23, 33, -100)]
        aorta += [(22, 36, -150), (16, 34, -200), (10, 32, -260)]
        trunk = [(14, -38, -132), (12, -30, -112), (17, -12, -103), (32, 2, -104)]
        right = [(14, -14, -105), (-10, -8, -106), (-32, 2, -106)]
        upper = [(-27, -16, -50), (-28, -18, -90), (-25, -14, -135)]
        neck = [
            [(-2, -16, -66), (-14, -4, -30), (-20, 4, 20)],
            [(7, -2, -62), (12, 4, -20), (18, 10, 20)],
            [(12, 6, -62), (24, 14, -25), (30, 18, 20)],
        ]
        veins = [[(-27, -16, -52), (-30, -20, -20), (-34, -10, 20)], [(-25, -22, -56), (4, -34, -48), (30, -24, -22), (36, -8, 20)]]
        made = [(BLOOD, _path(aorta, 13.5)), (BLOOD, _path(trunk, 13)), (BLOOD, _path(right, 10.5)), (BLOOD - 3, _path(upper, 9))]
        made += [(BLOOD, _path(p, 5.2)) for p in neck] + [(BLOOD - 4, _path(p, 6.2)) for p in veins]
        return [(hu, Tubes(balls)) for hu, balls in made]

    # -- one slice -----------------------------------------------------------------------------------------------

    def slice_at(self, z: float) -> Floats:
        """Hounsfield units of the plane z, shape (rows, columns)."""
        x, y, fine, middle, coarse = self._x, self._y, *self._cloud
        hu = np.full((ROWS, COLS), AIR, np.float32)
        _lay(hu, np.abs(y - (129 + 0.0009 * x * x)) - 1.6, np.float32(-120.0))  # the table's shell
        _lay(hu, np.abs(y - (150 + 0.0011 * x * x)) - 1.2, np.float32(-190.0))

        a, b = self._girth(z)
        wall = self._ellipse(0, 4, a, b) + 1.4 * coarse
        _lay(hu, wall, np.float32(30.0))  # skin
        _lay(hu, wall + 2.0, FAT + 5 * coarse + 3 * middle)
        _lay(hu, wall + 12 + 4 * np.cos(np.arctan2(y, x) * 2) + 2.5 * coarse, MUSCLE + 4 * middle - 120 * _soft(middle - 1.25, 0.25))

        angle = np.arctan2(np.abs(x), y)  # 0 at the spine, pi at the breastbone
        ca, cb = self._cage(z)
        cage = self._ellipse(0, 0, ca, cb) + 1.0 * coarse
        _lay(hu, cage - 12, FAT + 14 * middle + 75 * _soft(coarse, 0.5))  # fat and muscle between and under the ribs
        self._lay_shoulders(hu, z)
        self._lay_ribs(hu, z, cage, angle)
        self._lay_lungs(hu, z, cage)
        self._lay_middle(hu, z)
        self._lay_spine(hu, z, fine)
        _lay(hu, self._ellipse(0, -cb - 7, 17 - 4 * (z < -60), 6.2), np.float32(420.0)) if -190 < z < -22 else None
        _lay(hu, self._ellipse(0, -cb - 7, 14 - 4 * (z < -60), 4.2), 130 + 30 * fine) if -190 < z < -22 else None
        return hu

    def _lay_shoulders(self, hu: Floats, z: float) -> None:
        fine = self._cloud[0]
        for side in (-1, 1):
            if z > -150:  # shoulder blade: thinner and nearer the spine further down
                t = np.clip((z + 150) / 160, 0, 1)
                ax, ay, bx, by = side * (76 - 12 * t), 87 - 4 * t, side * (112 + 26 * t), 70 - 26 * t
                _lay(hu, self._rod(ax, ay, bx, by, 3.0 + 1.5 * t), np.float32(560.0))
                _lay(hu, self._rod(ax, ay, bx, by, 1.2 + 1.3 * t), 170 + 40 * fine)
            if z > -18:  # collar bone, then the head of the arm bone
                cx = side * (40 + 60 * np.clip((z + 18) / 30, 0, 1))
                _lay(hu, self._rod(cx, -58 + 10 * np.clip((z + 18) / 30, 0, 1), cx + side * 30, -54, 6.5), np.float32(640.0))
                _lay(hu, self._rod(cx, -58 + 10 * np.clip((z + 18) / 30, 0, 1), cx + side * 30, -54, 4.0), 190 + 40 * fine)

    def _lay_ribs(self, hu: Floats, z: float, cage: Floats, angle: Floats) -> None:
        """Ribs slope down from the spine to the breastbone; a plane cuts each in a short bow."""
        along = (z - 4 + 118 * (angle / np.pi) ** 1.1) % 25.0 - 12.5
        depth = cage - 6.5
        radius = np.sqrt((along / 6.4) ** 2 + (depth / 4.6) ** 2)
        front = angle > 2.35  # gristle in front
        _lay(hu, (radius - 1) * 4.6, np.where(front, 95.0, 620.0).astype(np.float32))
        _lay(hu, (radius - 0.66) * 4.6, np.where(front, 105.0, 190.0 + 60 * self._cloud[0]).astype(np.float32))

    def _lay_lungs(self, hu: Floats, z: float, cage: Floats) -> None:
        x, y, fine, middle, coarse = self._x, self._y, *self._cloud
        heart = np.exp(-(((z + 160) / 42) ** 2))
        left = 25 + 44 * heart * np.exp(-(((y + 26) / 40) ** 2)) + 6 * np.exp(-(((y - 34) / 16) ** 2))
        right = 26 + 16 * heart * np.exp(-(((y + 24) / 36) ** 2))
        apart = np.where(x > 0, left, right) - 9 * np.clip(-(y + 52) / 24, 0, 1) * (1 - heart) + 1.6 * coarse
        spine = self._ellipse(0, 76, 27, 36)
        lung = np.maximum.reduce([cage, apart - np.abs(x), -spine, _dome(self._x, self._y) - z])
        below = np.maximum(cage, z - _dome(self._x, self._y))
        self._lay_belly(hu, z, below)
        density = LUNG + 26 * (y / 90) + 13 * middle + 9 * coarse + 16 * fine  # denser where blood sinks to
        _lay(hu, lung, density.astype(np.float32))
        inside = lung < -1
        for slope, offset in ((0.85, 96.0), (0.9, 100.0)):  # the oblique fissures, thin as a hair
            plane = np.abs(z + offset + slope * (y - 8) + 3 * coarse) / np.hypot(1, slope) - 0.35
            _lay(hu, np.where(inside, plane, 9.0).astype(np.float32), np.float32(-690.0))
        self._discs(hu, self._arteries.discs(z), 0.0, np.float32(38.0), inside | (np.abs(x) < 45))
        airways = self._airways.discs(z)
        self._discs(hu, airways, 0.9, np.float32(-120.0), None)
        nx, ny, nz, r = NODULE
        if abs(z - nz) < r:
            ball = Tubes(np.array([[nx, ny, nz, r], [nx - 1.6, ny + 0.8, nz, r * 0.75]]))
            self._discs(hu, ball.discs(z), 0.0, np.float32(35.0), None)

    def _lay_belly(self, hu: Floats, z: float, below: Floats) -> None:
        x, middle = self._x, self._cloud[1]
        _lay(hu, below, FAT + 6 * middle)
        _lay(
            hu,
            np.maximum(below + 3, np.minimum(x - 8 - 0.5 * self._y - 3 * self._cloud[2], self._ellipse(14, -42, 40, 26))),
            LIVER + 3 * middle,
        )
        spleen = np.maximum(below + 3, self._ellipse(92, 34, 34, 42))
        _lay(hu, spleen, np.float32(50.0))
        stomach = np.maximum(below + 5, self._ellipse(60, -22, 44, 38))
        _lay(hu, stomach, np.where(self._y < -32, -960.0, 28.0).astype(np.float32))

    def _lay_middle(self, hu: Floats, z: float) -> None:
        middle, coarse = self._cloud[1], self._cloud[2]
        if z > -140:
            thymus = np.maximum(self._ellipse(0, -30, 30, 46), -self._ellipse(0, 76, 27, 36))
            _lay(hu, thymus, FAT + 8 * middle + 14 * coarse)
        if -232 < z < -112:  # the heart: fat, muscle, and a dim line of fat between its chambers
            t = np.sqrt(max(0.02, 1 - ((z + 165) / 62) ** 2))
            sac = self._ellipse(18, -22, 66 * t, 50 * t) + 1.4 * coarse
            _lay(hu, sac, FAT + 6 * middle)
            _lay(hu, sac + 5 + 2 * middle, 44 + 3 * coarse)
            groove = np.abs((self._x - 10) * 0.55 + (self._y + 14) * 0.85 + 5 * coarse) - 0.9
            _lay(hu, np.maximum(groove, sac + 5), np.float32(8.0))
        for value, tubes in self._great:
            self._discs(hu, tubes.discs(z), 1.1, FAT + 70.0, None)
            self._discs(hu, tubes.discs(z), 0.0, np.float32(value), None)
        _lay(hu, self._ellipse(4, 27 + 4 * (z < CARINA_MM), 8.5, 5.5), 36 + 4 * middle)  # gullet
        _lay(hu, self._ellipse(5, 27 + 4 * (z < CARINA_MM), 1.6, 0.9), np.float32(-300.0))
        if z > CARINA_MM:
            _lay(hu, self._ellipse(0, 12, 10.2, 9.6), np.float32(60.0))
            _lay(hu, self._ellipse(0, 12, 8.6, 8.0), np.float32(-985.0))
        self._discs(hu, self._airways.discs(z), 0.0, np.float32(-960.0), None)
        if z < 2:
            lump = np.maximum(self._ellipse(-13, 5, 4.5, 3.2), np.abs(np.float32(z + 84)) - 5)  # a small node before the windpipe
            _lay(hu, lump, np.float32(40.0))

    def _lay_spine(self, hu: Floats, z: float, fine: Floats) -> None:
        level = (z + 8) % 24.0
        disc, plate = level < 4.5, min(abs(level - 4.5), abs(level - 24.0), level if level > 4.5 else 9.0) < 1.6
        body = np.minimum(self._ellipse(0, 56, 19.5, 15.5), 40.0)
        body = np.maximum(body, -self._ellipse(0, 76, 9.5, 9.0) - 0)
        _lay(hu, body, np.float32(95.0 if disc else 430.0))
        _lay(hu, body + 1.8, (88 + 8 * fine) if disc else (360 + 30 * fine if plate else 168 + 52 * fine))
        bow = 1.0 if 5 < level < 19 else 0.0
        for side in (-1, 1):
            if bow:
                _lay(hu, self._rod(side * 12, 66, side * 15, 80, 4.6), 330 + 60 * fine)
                _lay(hu, self._rod(side * 14, 80, side * 38, 88, 4.6), np.float32(420.0))
                _lay(hu, self._rod(side * 14, 80, side * 36, 87.5, 2.8), 180 + 50 * fine)
            _lay(hu, self._rod(side * 14, 82, 0, 93, 3.6), 400 + 60 * fine)
        _lay(hu, self._rod(0, 93, 0, 112 if bow else 104, 3.2), 380 + 60 * fine)
        _lay(hu, self._ellipse(0, 76, 9.0, 8.2), np.float32(12.0))
        _lay(hu, self._ellipse(0, 76, 5.2, 4.2), np.float32(38.0))

    def _discs(self, hu: Floats, discs: NDArray[np.float64], more: float, value: float | Floats, where: NDArray[np.bool_] | None) -> None:
        """Lay small round things; each touches only its own square of the picture."""
        half = (COLS - 1) / 2
        for cx, cy, r in discs:
            r += more
            c, w, n = cx / PIXEL_MM + half, cy / PIXEL_MM + half, int(r / PIXEL_MM) + 2
            x0, x1, y0, y1 = max(0, int(c) - n), min(COLS, int(c) + n + 1), max(0, int(w) - n), min(ROWS, int(w) + n + 1)
            if x0 >= x1 or y0 >= y1:
                continue
            gx, gy = np.ogrid[y0:y1, x0:x1][::-1]
            cover = np.clip((r / PIXEL_MM + 0.5) - np.sqrt((gx - c) ** 2 + (gy - w) ** 2), 0, 1).astype(np.float32)
            # A tube thinner than a pixel darkens, it does not vanish.
            if where is not None:
                cover = cover * where[y0:y1, x0:x1]
            part = hu[y0:y1, x0:x1]
            # Overlapping balls of one tube must not add up: take the brighter (or, for air, the darker) of what is there and this.
            mixed = part + (value - part) * cover
            np.copyto(part, np.maximum(part, mixed) if value > -500 else np.minimum(part, mixed))

    def outside(self) -> NDArray[np.bool_]:
        """Pixels beyond the reconstructed circle."""
        return self._circle


def _dome(x, y):  # type: ignore[no-untyped-def]
    """Height (z, mm) of the diaphragm over each point, the right side higher."""
    right = -176 - 0.0085 * ((x + 62) ** 2 + (y + 10) ** 2)
    left = -192 - 0.0095 * ((x - 66) ** 2 + (y + 6) ** 2)
    return np.where(x < 0, right, left).astype(np.float32)


def _lay(hu: Floats, distance: Floats, value: Floats | np.float32 | float) -> None:
    """Put a tissue where `distance` (mm) is negative, with an edge one pixel soft."""
    cover = np.clip(0.5 - distance / np.float32(PIXEL_MM), 0, 1)
    hu += (value - hu) * cover


def _soft(value: Floats, width: float) -> Floats:
    return np.clip(value / width + 0.5, 0, 1)


def _path(corners: list[tuple[float, float, float]], radius: float) -> NDArray[np.float64]:
    """Balls along a smooth curve through `corners` (Catmull-Rom)."""
    p = np.array([corners[0], *corners, corners[-1]], float)
    out = []
    for i in range(1, len(p) - 2):
        n = max(3, int(np.linalg.norm(p[i + 1] - p[i]) / 1.2))
        t = np.linspace(0, 1, n)[:, None]
        a, b, c, d = p[i - 1 : i + 3]
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    line = np.vstack(out)
    return np.hstack([line, np.full((len(line), 1), radius)])


def _filtered(noise: NDArray[np.float64], response) -> Floats:  # type: ignore[no-untyped-def]
    """`noise` through a filter given over spatial frequency (cycles a pixel), scaled to deviation 1."""
    rows, cols = noise.shape
    f = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols)[None, :])
    out = np.fft.irfft2(np.fft.rfft2(noise) * response(f), (rows, cols))
    return (out / out.std()).astype(np.float32)


class Scanner:
    """Adds what a scanner adds: a little blur, and noise with the grain of filtered back projection, stronger in thick places."""

    def __init__(self, seed: int = 11) -> None:
        self._random = np.random.default_rng(seed)
        f = np.hypot(np.fft.fftfreq(ROWS)[:, None], np.fft.rfftfreq(COLS)[None, :])
        self._blur = np.exp(-2 * (np.pi * f * 0.62) ** 2)
        self._grain = (f + 0.01) * np.exp(-((f / 0.24) ** 2))
        self._grain /= np.sqrt(np.mean(self._grain**2))

    def scan(self, hu: Floats, deviation_hu: float) -> Floats:
        """The slice as it would be measured. `deviation_hu`: noise in the middle of the chest."""
        noise = np.fft.rfft2(self._random.standard_normal(hu.shape)) * self._grain * deviation_hu
        measured = np.fft.irfft2(np.fft.rfft2(hu) * self._blur + noise, hu.shape)
        return measured.astype(np.float32)
