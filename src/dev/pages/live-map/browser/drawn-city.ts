import * as L from 'leaflet';
import { blockMeters, type StreetGrid } from '../../../simulation/streets.js';
import { cellOf, type Point } from './cells.js';

const TILE_PIXELS = 256;
/** Beyond a tile's edge, so that what is drawn across it has no seam. */
const MARGIN_PIXELS = 40;
/** Farther out a block would be a speck. */
const BLOCKS_FROM_ZOOM = 13;
const STREET_METERS = 11;
const MAIN_STREET_METERS = 19;
const MAIN_STREET_EVERY = 4;
const ARTERIAL_METERS = 34;
/** Of the blocks. */
const SHARE_OF_PARKS = 0.06;

interface Quarter {
  /** Of the quarter's centre, in the tile's pixels. */
  centre: Point;
  pixelsPerMeter: number;
  angle: number;
}

/** The simulation's streets as a map, without any network: each quarter to where the next one is nearer. */
export class DrawnCity extends L.GridLayer {
  readonly #grids: readonly StreetGrid[];

  constructor(grids: readonly StreetGrid[]) {
    super({ attribution: 'Streets of the simulation', tileSize: TILE_PIXELS, maxZoom: 19 });
    this.#grids = grids;
  }

  override createTile({ x, y, z }: L.Coords): HTMLElement {
    const tile = document.createElement('canvas');
    const ratio = Math.min(2, devicePixelRatio);
    tile.width = tile.height = TILE_PIXELS * ratio;
    const canvas = tile.getContext('2d');
    if (canvas === null) return tile;
    canvas.scale(ratio, ratio);
    const colours = readColours();
    canvas.fillStyle = colours.street;
    canvas.fillRect(0, 0, TILE_PIXELS, TILE_PIXELS);
    const corner = L.point(x * TILE_PIXELS, y * TILE_PIXELS);
    const quarters = this.#grids.map((grid) => quarterOn(grid, corner, z));
    for (const quarter of quarters) {
      const others = quarters.filter((other) => other !== quarter).map(({ centre }) => centre);
      const cell = cellOf(quarter.centre, others, TILE_PIXELS, MARGIN_PIXELS);
      if (cell.length > 2) drawQuarter(canvas, quarter, cell, z >= BLOCKS_FROM_ZOOM, colours);
    }
    return tile;
  }
}

function quarterOn({ centre, streetAngle }: StreetGrid, corner: L.Point, zoom: number): Quarter {
  const { latitude, longitude } = centre;
  const pixels = L.CRS.EPSG3857.latLngToPoint(L.latLng(latitude, longitude), zoom).subtract(corner);
  const metersAround = 40_075_017 * Math.cos((latitude * Math.PI) / 180);
  return {
    centre: pixels,
    pixelsPerMeter: L.CRS.EPSG3857.scale(zoom) / metersAround,
    angle: (streetAngle * Math.PI) / 180,
  };
}

type Colours = Record<'street' | 'ground' | 'park', string>;

function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`);
  return { street: colour('street'), ground: colour('ground'), park: colour('park') };
}

function drawQuarter(
  canvas: CanvasRenderingContext2D,
  quarter: Quarter,
  cell: Point[],
  withBlocks: boolean,
  colours: Colours,
): void {
  const outline = new Path2D();
  cell.forEach(({ x, y }, index) => {
    if (index === 0) outline.moveTo(x, y);
    else outline.lineTo(x, y);
  });
  outline.closePath();
  canvas.save();
  canvas.clip(outline);
  if (withBlocks) drawBlocks(canvas, quarter, cell, colours);
  else {
    canvas.fillStyle = colours.ground;
    canvas.fill(outline);
  }
  canvas.restore();
  canvas.strokeStyle = colours.street;
  canvas.lineWidth = Math.max(2, ARTERIAL_METERS * quarter.pixelsPerMeter);
  canvas.stroke(outline);
}

/** In metres along the quarter's own axes: x across its streets, y along them. */
function drawBlocks(
  canvas: CanvasRenderingContext2D,
  { centre, pixelsPerMeter, angle }: Quarter,
  cell: Point[],
  colours: Colours,
): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const meters = cell.map((point) => {
    const [right, up] = [(point.x - centre.x) / pixelsPerMeter, (centre.y - point.y) / pixelsPerMeter];
    return { across: right * cos - up * sin, along: right * sin + up * cos };
  });
  const [acrossFrom, acrossTo] = range(meters.map(({ across }) => across / blockMeters.across));
  const [alongFrom, alongTo] = range(meters.map(({ along }) => along / blockMeters.along));
  const scale = pixelsPerMeter;
  canvas.transform(scale * cos, scale * sin, scale * sin, -scale * cos, centre.x, centre.y);
  for (let across = acrossFrom; across < acrossTo; across += 1) {
    for (let along = alongFrom; along < alongTo; along += 1) {
      canvas.fillStyle = isPark(across, along, angle) ? colours.park : colours.ground;
      const [left, right] = edges(across, blockMeters.across);
      const [bottom, top] = edges(along, blockMeters.along);
      canvas.beginPath();
      canvas.roundRect(left, bottom, right - left, top - bottom, 5);
      canvas.fill();
    }
  }
}

function range(values: number[]): [from: number, to: number] {
  return [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))];
}

/** Where a block begins and ends, less half of the street on each side. */
function edges(block: number, length: number): [from: number, to: number] {
  const half = (street: number) =>
    (street % MAIN_STREET_EVERY === 0 ? MAIN_STREET_METERS : STREET_METERS) / 2;
  return [block * length + half(block), (block + 1) * length - half(block + 1)];
}

/** The same blocks each time: a hash of where it is (after a common GLSL one-liner). */
function isPark(across: number, along: number, angle: number): boolean {
  const noise = Math.sin(across * 12.9898 + along * 78.233 + angle * 37.719) * 43_758.5453;
  return noise - Math.floor(noise) < SHARE_OF_PARKS;
}
