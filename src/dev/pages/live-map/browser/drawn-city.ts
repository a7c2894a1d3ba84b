import * as L from 'leaflet';
import { neighbourhoods, type Neighbourhood } from '../../../simulation/places.js';
import { blockMeters } from '../../../simulation/streets.js';
import { bordersOf } from './quarter-borders.js';
import { drawStreetNames, drawTitle, type Tile } from './street-labels.js';

const TILE_PIXELS = 256;
/** Farther out a block would be a speck. */
const BLOCKS_FROM_ZOOM = 13;
const STREET_METERS = 11;
const MAIN_ROAD_METERS = 22;
const RING_ROAD_METERS = 34;
/** Every so many streets is a wide one. */
const WIDE_EVERY = 5;
const PARKS_ONE_IN = 19;

const quarters = neighbourhoods.map((quarter) => ({ quarter, borders: bordersOf(quarter) }));

/** The simulation's streets as a map, without any network. */
export class DrawnCity extends L.GridLayer {
  constructor() {
    super({ attribution: 'Streets of the simulation', tileSize: TILE_PIXELS, maxZoom: 19 });
  }

  override createTile({ x, y, z }: L.Coords): HTMLElement {
    const element = document.createElement('canvas');
    const ratio = Math.min(2, devicePixelRatio);
    element.width = element.height = TILE_PIXELS * ratio;
    const canvas = element.getContext('2d');
    if (canvas === null) return element;
    canvas.fillStyle = colour('--ground');
    canvas.fillRect(0, 0, element.width, element.height);
    const corner = L.point(x, y).multiplyBy(TILE_PIXELS);
    const tiles = quarters.map(({ quarter, borders }) => {
      const { latitude, longitude } = quarter.centre;
      const centre = L.CRS.EPSG3857.latLngToPoint(L.latLng(latitude, longitude), z).subtract(corner);
      const scale = L.CRS.EPSG3857.scale(z) / (40_075_017 * Math.cos((latitude * Math.PI) / 180));
      const tile = { canvas, ratio, scale, centre, zoom: z, size: TILE_PIXELS };
      return { tile, quarter, borders };
    });
    for (const { tile, quarter, borders } of tiles) drawQuarter(tile, quarter, borders);
    for (const { tile, quarter } of tiles) drawTitle(tile, quarter);
    return element;
  }
}

function drawQuarter(tile: Tile, quarter: Neighbourhood, borders: ReturnType<typeof bordersOf>): void {
  const { canvas, ratio, scale, centre, zoom } = tile;
  const outline = new Path2D();
  for (const { east, north } of borders) outline.lineTo(east, north);
  outline.closePath();
  const inMeters = (angle: number) => {
    const [cos, sin] = [ratio * scale * Math.cos(angle), ratio * scale * Math.sin(angle)];
    canvas.setTransform(cos, sin, sin, -cos, centre.x * ratio, centre.y * ratio);
  };
  const angle = (quarter.streetAngle * Math.PI) / 180;
  const seen = partOf(tile, angle);
  canvas.save();
  inMeters(0);
  canvas.clip(outline);
  // x across the quarter's streets, y along them.
  inMeters(angle);
  canvas.strokeStyle = colour('--street');
  if (zoom >= BLOCKS_FROM_ZOOM) {
    drawParks(canvas, seen);
    drawStreets(canvas, seen, STREET_METERS, 1);
  }
  drawStreets(canvas, seen, MAIN_ROAD_METERS, WIDE_EVERY);
  inMeters(0);
  canvas.lineWidth = RING_ROAD_METERS;
  canvas.stroke(outline);
  drawStreetNames(tile, quarter);
  canvas.restore();
}

/** The streets that a tile may show, by their numbers from the centre. */
interface Part {
  mains: number[];
  crosses: number[];
  corner: { x: number; y: number; size: number };
}

function partOf({ centre, scale, size }: Tile, angle: number): Part {
  const [left, top] = [(size / 2 - centre.x) / scale, (size / 2 - centre.y) / scale];
  const radius = (size * Math.SQRT1_2) / scale;
  const x = left * Math.cos(angle) + top * Math.sin(angle);
  const y = left * Math.sin(angle) - top * Math.cos(angle);
  const numbers = (at: number, block: number) => {
    const first = Math.floor((at - radius) / block);
    return Array.from({ length: Math.ceil((2 * radius) / block) + 2 }, (_, index) => first + index);
  };
  return {
    mains: numbers(x, blockMeters.across),
    crosses: numbers(y, blockMeters.along),
    corner: { x: x - radius, y: y - radius, size: 2 * radius },
  };
}

function drawParks(canvas: CanvasRenderingContext2D, { mains, crosses }: Part): void {
  canvas.fillStyle = colour('--park');
  const { across, along } = blockMeters;
  for (const main of mains)
    for (const cross of crosses)
      if (Math.abs(main * 31 + cross * 17 + main * cross * 7) % PARKS_ONE_IN === 3)
        canvas.fillRect(main * across, cross * along, across, along);
}

/** Every so many streets, at this width in metres. */
function drawStreets(canvas: CanvasRenderingContext2D, part: Part, width: number, every: number): void {
  const { x, y, size } = part.corner;
  const { across, along } = blockMeters;
  canvas.lineWidth = width;
  canvas.beginPath();
  for (const main of part.mains) {
    if (main % every !== 0) continue;
    canvas.moveTo(main * across, y);
    canvas.lineTo(main * across, y + size);
  }
  for (const cross of part.crosses) {
    if (cross % every !== 0) continue;
    canvas.moveTo(x, cross * along);
    canvas.lineTo(x + size, cross * along);
  }
  canvas.stroke();
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}
