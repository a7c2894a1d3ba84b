import * as L from 'leaflet';
import { neighbourhoods } from '../../../simulation/places.js';
import { blockMeters, type StreetGrid } from '../../../simulation/streets.js';

const TILE_PIXELS = 256;
/** Farther out a block would be a speck. */
const BLOCKS_FROM_ZOOM = 13;
/** From a quarter's centre in each direction. */
const REACH_METERS = 3_000;
const STREET_METERS = 12;

/** The simulation's streets as a map, without any network. */
export class DrawnCity extends L.GridLayer {
  constructor() {
    super({ attribution: 'Streets of the simulation', tileSize: TILE_PIXELS, maxZoom: 19 });
  }

  override createTile({ x, y, z }: L.Coords): HTMLElement {
    const tile = document.createElement('canvas');
    const ratio = Math.min(2, devicePixelRatio);
    tile.width = tile.height = TILE_PIXELS * ratio;
    const canvas = tile.getContext('2d');
    if (canvas === null) return tile;
    const style = getComputedStyle(document.documentElement);
    canvas.fillStyle = style.getPropertyValue('--ground');
    canvas.strokeStyle = style.getPropertyValue('--street');
    canvas.fillRect(0, 0, tile.width, tile.height);
    if (z < BLOCKS_FROM_ZOOM) return tile;
    const corner = L.point(x, y).multiplyBy(TILE_PIXELS);
    const middle = corner.add([TILE_PIXELS / 2, TILE_PIXELS / 2]);
    const quarters = neighbourhoods
      .map((quarter) => ({ ...quarter, pixels: pixelsOf(quarter, z) }))
      .sort((one, other) => other.pixels.distanceTo(middle) - one.pixels.distanceTo(middle));
    // The nearest one is on top.
    for (const { centre, streetAngle, pixels } of quarters) {
      const angle = (streetAngle * Math.PI) / 180;
      const scale = ratio * pixelsPerMeter(centre.latitude, z);
      const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
      const at = pixels.subtract(corner).multiplyBy(ratio);
      // In metres from the centre: x across the quarter's streets, y along them.
      canvas.setTransform(cos, sin, sin, -cos, at.x, at.y);
      drawStreets(canvas);
    }
    return tile;
  }
}

function pixelsOf({ centre }: StreetGrid, zoom: number): L.Point {
  return L.CRS.EPSG3857.latLngToPoint(L.latLng(centre.latitude, centre.longitude), zoom);
}

function pixelsPerMeter(latitude: number, zoom: number): number {
  return L.CRS.EPSG3857.scale(zoom) / (40_075_017 * Math.cos((latitude * Math.PI) / 180));
}

function drawStreets(canvas: CanvasRenderingContext2D): void {
  canvas.fillRect(-REACH_METERS, -REACH_METERS, 2 * REACH_METERS, 2 * REACH_METERS);
  canvas.lineWidth = STREET_METERS;
  canvas.beginPath();
  for (const x of streets(blockMeters.across)) {
    canvas.moveTo(x, -REACH_METERS);
    canvas.lineTo(x, REACH_METERS);
  }
  for (const y of streets(blockMeters.along)) {
    canvas.moveTo(-REACH_METERS, y);
    canvas.lineTo(REACH_METERS, y);
  }
  canvas.stroke();
}

function streets(blockLength: number): number[] {
  const blocks = Math.floor(REACH_METERS / blockLength);
  return Array.from({ length: 2 * blocks + 1 }, (_, index) => (index - blocks) * blockLength);
}
