"""Small plots as SVG text: grouped bars, and lines over numbers. Nothing but the standard library."""

import html
import math

COLORS = ["#1764ab", "#d1701c", "#3c8d40", "#8a4fa3", "#6b6b6b", "#a8324a", "#2a8f9c", "#8c6d1f"]
WIDTH, HEIGHT = 760, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 56, 48


class Canvas:
    def __init__(self, title, width=WIDTH, height=HEIGHT):
        self.width, self.height = width, height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
        ]
        self.text(width / 2, 22, title, anchor="middle", size=15)

    def text(self, x, y, text, anchor="start", size=12, color="#222", turn=None):
        place = f'transform="translate({x:.1f} {y:.1f}) rotate({turn})"' if turn else f'x="{x:.1f}" y="{y:.1f}"'
        self.parts.append(f'<text {place} text-anchor="{anchor}" font-size="{size}" fill="{color}">{html.escape(str(text))}</text>')

    def line(self, x1, y1, x2, y2, color="#ddd", width=1, dash=None):
        dash = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width}"{dash}/>')

    def box(self, x, y, width, height, color):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>')

    def dot(self, x, y, color):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>')

    def legend(self, names):
        x = LEFT
        for name, color in zip(names, COLORS):
            self.box(x, 34, 10, 10, color)
            self.text(x + 14, 43, name)
            x += 30 + 7 * len(name)

    def svg(self):
        return "\n".join(self.parts + ["</svg>\n"])


def nice_steps(top):
    """About five round numbers from 0 to `top` or a little more."""
    raw = max(top, 1e-9) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    return [step * index for index in range(int(math.ceil(top / step - 1e-9)) + 1)]


def bars(title, unit, groups, names):
    """`groups`: (label, [a value or None for each of `names`])."""
    canvas = Canvas(title)
    steps = nice_steps(max(v for _, values in groups for v in values if v is not None))
    bottom, right = canvas.height - BOTTOM, canvas.width - RIGHT

    def y(value):
        return bottom - (bottom - TOP) * value / steps[-1]

    for step in steps:
        canvas.line(LEFT, y(step), right, y(step))
        canvas.text(LEFT - 6, y(step) + 4, f"{step:g}", anchor="end")
    canvas.text(16, (TOP + bottom) / 2, unit, anchor="middle", turn=-90)
    slot = (right - LEFT) / len(groups)
    for index, (label, values) in enumerate(groups):
        width = slot * 0.8 / len(names)
        start = LEFT + slot * (index + 0.1)
        for place, value in enumerate(values):
            if value is not None:
                canvas.box(start + place * width, y(value), width * 0.94, bottom - y(value), COLORS[place])
        if len(groups) > 9:
            canvas.text(LEFT + slot * (index + 0.5) + 4, bottom + 12, label, anchor="end", size=10, turn=-40)
        else:
            canvas.text(LEFT + slot * (index + 0.5), bottom + 16, label, anchor="middle")
    canvas.legend(names)
    return canvas.svg()


def lines(title, unit, axis, series, logarithmic=False, limits=()):
    """`series`: (name, [(x, y)]); `limits`: (name, function of x) drawn dashed."""
    canvas = Canvas(title)
    points = [p for _, values in series for p in values]
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    bottom, right = canvas.height - BOTTOM, canvas.width - RIGHT
    steps = nice_steps(max(y for _, y in points))

    def x(value):
        if logarithmic:
            return LEFT + (right - LEFT) * (math.log(value) - math.log(low)) / max(math.log(high) - math.log(low), 1e-9)
        return LEFT + (right - LEFT) * (value - low) / max(high - low, 1e-9)

    def y(value):
        return bottom - (bottom - TOP) * min(value, steps[-1]) / steps[-1]

    for step in steps:
        canvas.line(LEFT, y(step), right, y(step))
        canvas.text(LEFT - 6, y(step) + 4, f"{step:g}", anchor="end")
    for value in sorted({p[0] for p in points}):
        canvas.text(x(value), bottom + 16, f"{value:g}", anchor="middle")
    canvas.text(16, (TOP + bottom) / 2, unit, anchor="middle", turn=-90)
    canvas.text((LEFT + right) / 2, canvas.height - 8, axis, anchor="middle")
    for (_, values), color in zip(series, COLORS):
        for (x1, y1), (x2, y2) in zip(values, values[1:]):
            canvas.line(x(x1), y(y1), x(x2), y(y2), color=color, width=2)
        for px, py in values:
            canvas.dot(x(px), y(py), color)
    canvas.legend([name for name, _ in series])
    return canvas.svg()


def roofline(title, bandwidth, peak, points, names):
    """Operations per second over operations per byte, both logarithmic. `points`: (series index, intensity, GOPS)."""
    canvas = Canvas(title)
    bottom, right = canvas.height - BOTTOM, canvas.width - RIGHT
    xs = [p[1] for p in points] + [peak / bandwidth]
    ys = [p[2] for p in points] + [peak]
    x0, x1 = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    y0, y1 = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def x(value):
        return LEFT + (right - LEFT) * (math.log10(value) - x0) / (x1 - x0)

    def y(value):
        return bottom - (bottom - TOP) * (math.log10(value) - y0) / (y1 - y0)

    for power in range(y0, y1 + 1):
        canvas.line(LEFT, y(10**power), right, y(10**power))
        canvas.text(LEFT - 6, y(10**power) + 4, f"{10.0**power:g}", anchor="end")
    for power in range(x0, x1 + 1):
        canvas.line(x(10**power), TOP, x(10**power), bottom)
        canvas.text(x(10**power), bottom + 16, f"{10.0**power:g}", anchor="middle")
    canvas.text(16, (TOP + bottom) / 2, "GOPS", anchor="middle", turn=-90)
    canvas.text((LEFT + right) / 2, canvas.height - 8, "operations per byte of weights", anchor="middle")
    ridge = peak / bandwidth
    start = max(10.0**x0, 10.0**y0 / bandwidth)
    canvas.line(x(start), y(start * bandwidth), x(ridge), y(peak), color="#444", width=1.5)
    canvas.line(x(ridge), y(peak), right, y(peak), color="#444", width=1.5)
    canvas.text(x(ridge) + 6, y(peak) - 6, f"{bandwidth:.0f} GB/s, {peak:.0f} GOPS", color="#444")
    for index, intensity, gops in points:
        canvas.dot(x(intensity), y(gops), COLORS[index % len(COLORS)])
    canvas.legend(names)
    return canvas.svg()
