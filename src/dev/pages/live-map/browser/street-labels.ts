import type * as L from 'leaflet';
import type { Neighbourhood } from '../../../simulation/places.js';
import { blockMeters, crossName, mainName } from '../../../simulation/streets.js';

/** A tile of the map while it is drawn. */
export interface Tile {
  canvas: CanvasRenderingContext2D;
  /** Device pixels per pixel. */
  ratio: number;
  /** Pixels per metre. */
  scale: number;
  /** The quarter's, in pixels from the tile's corner. */
  centre: L.Point;
  zoom: number;
  size: number;
}

interface Label {
  text: string;
  /** Metres from the centre across and along the quarter's streets. */
  x: number;
  y: number;
  isUpright: boolean;
}

const TITLES_FROM_ZOOM = 12;
const NAMES_FROM_ZOOM = 15;
/** Farther out, every second street has a name. */
const ALL_NAMES_FROM_ZOOM = 16;
/** From the quarter's centre. */
const REACH_METERS = 2_500;
/** Between two names of the same street. */
const NAME_EVERY_METERS = 420;
/** A letter's width and height, and the room around a name. */
const LETTER = { width: 6.2, height: 14, room: 10 };
/** A name may begin in a neighbouring tile. */
const LONGEST_PIXELS = 120;

/** The same for all tiles, or names would end at a tile's edge. */
const placed = new Map<string, Label[]>();

/** The names of as many streets as there is room for. */
export function drawStreetNames(tile: Tile, quarter: Neighbourhood): void {
  if (tile.zoom < NAMES_FROM_ZOOM) return;
  const key = `${quarter.name} ${tile.zoom}`;
  const labels = placed.get(key) ?? placeLabels(tile, quarter);
  placed.set(key, labels);
  setFont(tile, '11px', '--street');
  for (const label of labels) draw(tile, (quarter.streetAngle * Math.PI) / 180, label);
}

/** The quarter's name in capitals. */
export function drawTitle(tile: Tile, quarter: Neighbourhood): void {
  if (tile.zoom < TITLES_FROM_ZOOM) return;
  setFont(tile, '600 12px', '--ground');
  draw(tile, 0, titleOf(quarter));
}

/** In the middle of a block, where it covers no home. */
function titleOf({ name }: Neighbourhood): Label {
  return {
    text: name.toUpperCase(),
    x: 1.5 * blockMeters.across,
    y: 3.5 * blockMeters.along,
    isUpright: false,
  };
}

function setFont({ canvas }: Tile, font: string, halo: string): void {
  canvas.font = `${font} system-ui, sans-serif`;
  canvas.textAlign = 'center';
  canvas.textBaseline = 'middle';
  canvas.lineWidth = 3;
  canvas.lineJoin = 'round';
  canvas.fillStyle = property('--street-name');
  canvas.strokeStyle = property(halo);
}

function placeLabels({ scale, zoom }: Tile, quarter: Neighbourhood): Label[] {
  const { across, along } = blockMeters;
  const taken: Label[] = [titleOf(quarter)];
  const halfOf = ({ text, isUpright }: Label) => {
    const [long, short] = [text.length * LETTER.width + LETTER.room, LETTER.height + LETTER.room];
    const [width, height] = isUpright ? [short, long] : [long, short];
    return { width: width / scale / 2, height: height / scale / 2 };
  };
  const place = (label: Label) => {
    const half = halfOf(label);
    const isFree = taken.every((other) => {
      const its = halfOf(other);
      return (
        Math.abs(label.x - other.x) > half.width + its.width ||
        Math.abs(label.y - other.y) > half.height + its.height
      );
    });
    if (isFree) taken.push(label);
  };
  const places = numbers(REACH_METERS / NAME_EVERY_METERS);
  const at = (each: number, block: number, index: number) =>
    (Math.round((each * NAME_EVERY_METERS) / block) + 0.5 + Math.abs(index % 3)) * block;
  const streets = numbers(REACH_METERS / along).filter((n) => zoom >= ALL_NAMES_FROM_ZOOM || n % 2 === 0);
  for (const index of streets)
    for (const each of places) {
      const [cross, main] = [crossName(index), mainName(quarter, index)];
      place({ text: main, x: index * across, y: at(each, along, index), isUpright: true });
      place({ text: cross, x: at(each, across, index), y: index * along, isUpright: false });
    }
  return taken.slice(1);
}

/** 0, -1, 1, -2, 2, … */
function numbers(most: number): number[] {
  return Array.from({ length: 2 * Math.floor(most) }, (_, n) => (n % 2 === 0 ? n / 2 : -(n + 1) / 2));
}

function draw(tile: Tile, angle: number, { text, x, y, isUpright }: Label): void {
  const { canvas, ratio, scale, centre, size } = tile;
  const left = centre.x + scale * (x * Math.cos(angle) + y * Math.sin(angle));
  const top = centre.y + scale * (x * Math.sin(angle) - y * Math.cos(angle));
  const isOff = (at: number) => at < -LONGEST_PIXELS || at > size + LONGEST_PIXELS;
  if (isOff(left) || isOff(top)) return;
  canvas.setTransform(ratio, 0, 0, ratio, left * ratio, top * ratio);
  canvas.rotate(isUpright ? angle - Math.PI / 2 : angle);
  canvas.strokeText(text, 0, 0);
  canvas.fillText(text, 0, 0);
}

function property(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}
