import * as L from 'leaflet';
import type { Watched } from '../../../../client/index.js';
import type { MapSession, MapTiles } from '../map-session.js';
import { background, houseIcon, latLng, showState, trainerIcon } from './map-parts.js';

const ZOOM = 15;

/** The map of the student's app: the home and the trainer. */
export class StudentMap {
  readonly #map: L.Map;
  readonly #home = L.marker([0, 0], { icon: houseIcon(true), keyboard: false, interactive: false });
  readonly #circle = L.circle([0, 0], { className: 'uncertainty', interactive: false, radius: 0 });
  #trainer: L.Marker | undefined;
  #shown = '';

  constructor(root: HTMLElement, tiles: MapTiles | null) {
    this.#map = L.map(root, {
      ...{ zoomControl: false, attributionControl: false, dragging: false, keyboard: false },
      ...{ scrollWheelZoom: false, doubleClickZoom: false, boxZoom: false, touchZoom: false },
      ...{ zoomAnimation: false, zoomSnap: 0.25 },
    });
    background(tiles).addTo(this.#map);
    // The figures below say the same.
    root.removeAttribute('tabindex');
  }

  show(session: MapSession, { state, position, uncertaintyMeters, journey }: Watched): void {
    const home = session.home ?? session.streets.centre;
    this.#home.setLatLng(latLng(home)).addTo(this.#map);
    const isOn = position !== null && state !== 'ended';
    const shown = `${session.id} ${isOn ? (journey?.lastUpdate ?? '') : 'home'}`;
    if (shown !== this.#shown) this.#look(isOn ? [home, position] : [home]);
    this.#shown = shown;
    if (!isOn) {
      this.#trainer?.remove();
      this.#trainer = undefined;
      this.#circle.remove();
      return;
    }
    const at = latLng(position);
    this.#trainer ??= L.marker(at, { icon: trainerIcon(session), keyboard: false, interactive: false });
    this.#trainer.setLatLng(at).addTo(this.#map);
    this.#circle
      .setLatLng(at)
      .setRadius(uncertaintyMeters ?? 0)
      .addTo(this.#map);
    showState(state, position, this.#trainer, [this.#circle]);
  }

  #look(points: { latitude: number; longitude: number }[]): void {
    const bounds = L.latLngBounds(points.map(latLng)).pad(0.35);
    this.#map.fitBounds(bounds, { maxZoom: ZOOM + 1, animate: false });
  }
}
