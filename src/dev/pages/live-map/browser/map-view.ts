import * as L from 'leaflet';
import type { Watched } from '../../../../client/index.js';
import type { GeoPoint } from '../../../simulation/places.js';
import type { MapSession, MapTiles } from '../map-session.js';
import { background, houseIcon, latLng, showState, trainerIcon } from './map-parts.js';

const TRAIL_POINTS = 400;

interface Shown {
  layers: L.LayerGroup;
  marker: L.Marker;
  circle: L.Circle;
  trail: L.Polyline;
}

/** Streets, homes, trainers with their trails and uncertainty, and the route of the trainer's phone. */
export class MapView {
  readonly #map: L.Map;
  readonly #shown = new Map<string, Shown>();
  readonly #route = L.polyline([], { className: 'route', interactive: false });
  readonly #phone = L.circleMarker([0, 0], { className: 'phone-itself', radius: 4, interactive: false });

  constructor(root: HTMLElement, tiles: MapTiles | null, sessions: readonly MapSession[]) {
    this.#map = L.map(root, { zoomControl: true, attributionControl: true, preferCanvas: false });
    this.#map.attributionControl.setPrefix(false);
    background(tiles).addTo(this.#map);
    for (const { home, isFree } of sessions) if (home) this.#drawHome(home, isFree);
    this.#route.addTo(this.#map);
    this.#phone.addTo(this.#map);
  }

  focus(session: MapSession, route: readonly GeoPoint[]): void {
    const points = [session.home ?? session.streets.centre, ...route];
    this.#map.fitBounds(L.latLngBounds(points.map(latLng)).pad(0.25), { maxZoom: 16, animate: false });
  }

  /** The route of the trainer's phone, and where it really is. */
  showTrip(trip: { route: readonly GeoPoint[]; place: GeoPoint } | undefined): void {
    this.#route.setLatLngs(trip?.route.map(latLng) ?? []);
    if (trip) this.#phone.setLatLng(latLng(trip.place)).addTo(this.#map);
    else this.#phone.remove();
  }

  /** Where a trainer is, according to the service. */
  showTrainer(session: MapSession, { state, position, uncertaintyMeters }: Watched): void {
    if (position === null || state === 'ended') {
      this.#shown.get(session.id)?.layers.remove();
      this.#shown.delete(session.id);
      return;
    }
    const shown = this.#shown.get(session.id) ?? this.#add(session);
    const at = latLng(position);
    shown.marker.setLatLng(at);
    shown.circle.setLatLng(at).setRadius(uncertaintyMeters ?? 0);
    const points = shown.trail.getLatLngs() as L.LatLng[];
    if (!points.at(-1)?.equals(at)) shown.trail.setLatLngs([...points, at].slice(-TRAIL_POINTS));
    showState(state, position, shown.marker, [shown.circle, shown.trail]);
  }

  #add(session: MapSession): Shown {
    const icon = trainerIcon(session);
    const shown = {
      marker: L.marker([0, 0], {
        icon,
        alt: `Trainer ${session.trainerName}`,
        keyboard: false,
        zIndexOffset: 500,
      }),
      circle: L.circle([0, 0], { className: 'uncertainty', interactive: false, radius: 0 }),
      trail: L.polyline([], { className: 'trail', interactive: false }),
    };
    const layers = L.layerGroup([shown.trail, shown.circle, shown.marker]).addTo(this.#map);
    shown.marker.bindTooltip(`${session.trainerName} to ${session.place}`);
    shown.marker.getElement()?.setAttribute('data-session', session.id);
    this.#shown.set(session.id, { layers, ...shown });
    return { layers, ...shown };
  }

  #drawHome(home: GeoPoint, isFree: boolean): void {
    const icon = houseIcon(isFree);
    L.marker(latLng(home), { icon, alt: 'A student’s home', keyboard: false, interactive: false }).addTo(
      this.#map,
    );
  }
}
