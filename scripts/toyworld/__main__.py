"""Draw scenes to a PNG: python -m toyworld --seed 3 --size 768 out.png."""

import argparse
from pathlib import Path

from PIL import Image

from toyworld.sheet import contact_sheet


def main() -> None:
    """Write one scene, or a contact sheet of `--count` scenes from `--seed` on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1, help="scenes, one seed after another")
    parser.add_argument("--columns", type=int, default=4, help="scenes in a row of the sheet")
    parser.add_argument("--size", type=int, default=256, help="a scene's width in pixels")
    parser.add_argument("--aspect", type=float, default=1.0, help="a scene's height by its width")
    parser.add_argument("--truth", action="store_true", help="show the truth beside each scene")
    given = parser.parse_args()
    seeds = list(range(given.seed, given.seed + given.count))
    height = round(given.size * given.aspect)
    columns = min(given.columns, given.count)
    sheet = contact_sheet(seeds, height, given.size, columns, given.truth)
    Image.fromarray(sheet).save(given.output)


if __name__ == "__main__":
    main()
