// Where the picture lies on the screen: zoom and pan. Screen units are CSS pixels of the stage.

export const view = { scale: 1, left: 0, top: 0 };

const MOST = 40;

/** All of the picture, in the middle. */
export function fit(stage, wide, high) {
  const scale = Math.min((stage.clientWidth - 32) / wide, (stage.clientHeight - 32) / high);
  view.scale = Math.max(Math.min(scale, 8), 1e-3);
  view.left = (stage.clientWidth - wide * view.scale) / 2;
  view.top = (stage.clientHeight - high * view.scale) / 2;
}

/** Zoom about a point of the screen. */
export function zoom(factor, x, y) {
  const scale = Math.min(Math.max(view.scale * factor, 0.02), MOST);
  view.left = x - ((x - view.left) * scale) / view.scale;
  view.top = y - ((y - view.top) * scale) / view.scale;
  view.scale = scale;
}

/** Have a box of the picture in sight, and large enough to be seen. */
export function bringIntoSight(stage, [left, top, right, bottom]) {
  const wide = (right - left) * view.scale;
  const high = (bottom - top) * view.scale;
  const isInside = left * view.scale + view.left >= 0 && right * view.scale + view.left <= stage.clientWidth
    && top * view.scale + view.top >= 0 && bottom * view.scale + view.top <= stage.clientHeight;
  const isSmall = Math.max(wide, high) < 48;
  if (isInside && !isSmall) return;
  if (isSmall || wide > stage.clientWidth || high > stage.clientHeight) {
    const scale = 0.4 * Math.min(stage.clientWidth / (right - left), stage.clientHeight / (bottom - top));
    view.scale = Math.min(Math.max(scale, 0.02), Math.max(view.scale, 6));
  }
  view.left = stage.clientWidth / 2 - ((left + right) / 2) * view.scale;
  view.top = stage.clientHeight / 2 - ((top + bottom) / 2) * view.scale;
}

/** The picture's pixel at a point of the screen. */
export function pixelAt(x, y) {
  return [Math.floor((x - view.left) / view.scale), Math.floor((y - view.top) / view.scale)];
}
