import * as L from 'leaflet';
import type { Watched } from '../../../../client/index.js';
import type { MapSession, MapTiles } from '../map-session.js';
import { background, homeIcon, latLng, showState, trainerIcon } from './map-parts.js';

const CLOSEST_ZOOM = 16;
/** Around the home and the trainer, in pixels; the home's pin stands above its point. */
const PADDING: [top: L.PointTuple, bottom: L.PointTuple] = [
  [30, 48],
  [30, 26],
];

/** The map of the student's app: the home and the trainer. */
export class StudentMap {
  readonly #map: L.Map;
  readonly #home = L.marker([0, 0], { icon: homeIcon(true), keyboard: false, interactive: false });
  readonly #circle = L.circle([0, 0], { className: 'uncertainty', interactive: false, radius: 0 });
  #trainer: L.Marker | undefined;
  #points: L.LatLng[] = [];
  #size = L.point(0, 0);

  constructor(root: HTMLElement, tiles: MapTiles | null) {
    this.#map = L.map(root, {
      ...{ zoomControl: false, attributionControl: false, dragging: false, keyboard: false },
      ...{ scrollWheelZoom: false, doubleClickZoom: false, boxZoom: false, touchZoom: false },
      zoomAnimation: false,
    });
    background(tiles).addTo(this.#map);
    new ResizeObserver(() => {
      this.#map.invalidateSize({ animate: false });
      this.#look(this.#points);
    }).observe(root);
    // The sentences above say the same.
    root.removeAttribute('tabindex');
  }

  show(session: MapSession, { state, position, uncertaintyMeters }: Watched): void {
    const home = latLng(session.home ?? session.streets.centre);
    this.#home.setLatLng(home).addTo(this.#map);
    const isOn = position !== null && state !== 'ended';
    this.#look(isOn ? [home, latLng(position)] : [home]);
    if (!isOn) {
      this.#trainer?.remove();
      this.#trainer = undefined;
      this.#circle.remove();
      return;
    }
    const at = latLng(position);
    const icon = trainerIcon(session.trainerName);
    this.#trainer ??= L.marker(at, { icon, keyboard: false, interactive: false, zIndexOffset: 500 });
    this.#trainer.setLatLng(at).addTo(this.#map);
    const radius = uncertaintyMeters ?? 0;
    this.#circle.setLatLng(at).setRadius(radius).addTo(this.#map);
    showState(state, position, this.#trainer, [this.#circle]);
  }

  #look(points: L.LatLng[]): void {
    const isSame =
      points.length === this.#points.length && points.every((each, i) => this.#points[i]?.equals(each));
    if (isSame && this.#map.getSize().equals(this.#size)) return;
    this.#points = points;
    this.#size = this.#map.getSize();
    if (points.length === 0) return;
    this.#map.fitBounds(L.latLngBounds(points), {
      ...{ paddingTopLeft: PADDING[0], paddingBottomRight: PADDING[1] },
      ...{ maxZoom: CLOSEST_ZOOM, animate: false },
    });
  }
}
