import * as L from 'leaflet';
import type { GeoPoint } from '../../../simulation/places.js';
import type { MapSession, MapTiles } from '../map-session.js';
import { background, homeIcon, latLng, showState, trainerIcon } from './map-parts.js';

const TRAIL_POINTS = 400;
const CLOSEST_ZOOM = 16;

/** Where the service says that a trainer is. */
export interface SeenTrainer {
  sessionId: string;
  name: string;
  state: string;
  position: GeoPoint & { heading?: number | undefined };
  uncertaintyMeters: number | null;
}

interface Shown {
  layers: L.LayerGroup;
  marker: L.Marker;
  circle: L.Circle;
  trail: L.Polyline;
}

export interface MapViewDependencies {
  root: HTMLElement;
  tiles: MapTiles | null;
  sessions: readonly MapSession[];
  onChosen: (sessionId: string) => void;
}

/** Streets, homes, trainers with their trails and uncertainty, and the route of the trainer's phone. */
export class MapView {
  readonly #map: L.Map;
  readonly #onChosen: (sessionId: string) => void;
  readonly #homes = new Map<string, L.Marker>();
  readonly #shown = new Map<string, Shown>();
  readonly #route = L.polyline([], { className: 'route', interactive: false });
  readonly #phone = L.circleMarker([0, 0], { className: 'phone-itself', radius: 4, interactive: false });
  #chosen = '';

  constructor({ root, tiles, sessions, onChosen }: MapViewDependencies) {
    this.#onChosen = onChosen;
    this.#map = L.map(root, { zoomControl: true, attributionControl: true, preferCanvas: false });
    this.#map.attributionControl.setPrefix(false);
    background(tiles).addTo(this.#map);
    for (const { id, home } of sessions) if (home) this.#homes.set(id, this.#newHome(home));
    this.#route.addTo(this.#map);
    this.#phone.addTo(this.#map);
    new ResizeObserver(() => this.#map.invalidateSize({ animate: false })).observe(root);
  }

  /** Highlights a session's trainer and home. */
  choose(sessionId: string): void {
    this.#homes.get(this.#chosen)?.setIcon(homeIcon(false)).setZIndexOffset(0);
    this.#mark(this.#chosen, false);
    this.#chosen = sessionId;
    this.#homes.get(sessionId)?.setIcon(homeIcon(true)).setZIndexOffset(100).setOpacity(1);
    this.#mark(sessionId, true);
  }

  focus(points: readonly GeoPoint[]): void {
    this.#fit(points.map(latLng));
  }

  /** A chosen journey: its trainer and its home. */
  focusOn(sessionId: string): void {
    this.#fit(
      [this.#shown.get(sessionId)?.marker, this.#homes.get(sessionId)].flatMap(
        (marker) => marker?.getLatLng() ?? [],
      ),
    );
  }

  showAll(): void {
    const trainers = [...this.#shown].flatMap(([id, { marker }]) => [marker, this.#homes.get(id)]);
    const markers = trainers.length > 0 ? trainers : [...this.#homes.values()];
    this.#fit(markers.flatMap((marker) => marker?.getLatLng() ?? []));
  }

  /** The route of the trainer's phone, and where it really is. */
  showTrip(trip: { route: readonly GeoPoint[]; place: GeoPoint } | undefined): void {
    this.#route.setLatLngs(trip?.route.map(latLng) ?? []);
    if (trip) this.#phone.setLatLng(latLng(trip.place)).addTo(this.#map);
    else this.#phone.remove();
  }

  showTrainer({ sessionId, name, state, position, uncertaintyMeters }: SeenTrainer): void {
    const shown = this.#shown.get(sessionId) ?? this.#add(sessionId, name);
    const at = latLng(position);
    shown.marker.setLatLng(at);
    shown.circle.setLatLng(at).setRadius(uncertaintyMeters ?? 0);
    const points = shown.trail.getLatLngs() as L.LatLng[];
    if (!points.at(-1)?.equals(at)) shown.trail.setLatLngs([...points, at].slice(-TRAIL_POINTS));
    showState(state, position, shown.marker, [shown.circle, shown.trail]);
  }

  /** Removes the trainers of other sessions, and hides their homes. */
  keepOnly(sessionIds: ReadonlySet<string>): void {
    for (const [id, home] of this.#homes) home.setOpacity(sessionIds.has(id) || id === this.#chosen ? 1 : 0);
    for (const [id, { layers }] of this.#shown) {
      if (sessionIds.has(id)) continue;
      layers.remove();
      this.#shown.delete(id);
    }
  }

  #fit(points: L.LatLng[]): void {
    if (points.length === 0) return;
    this.#map.fitBounds(L.latLngBounds(points).pad(0.2), { maxZoom: CLOSEST_ZOOM, animate: false });
  }

  #add(sessionId: string, name: string): Shown {
    const marker = L.marker([0, 0], {
      icon: trainerIcon(name),
      alt: `Trainer ${name}`,
      keyboard: false,
      zIndexOffset: 500,
    });
    const circle = L.circle([0, 0], { className: 'uncertainty', interactive: false, radius: 0 });
    const trail = L.polyline([], { className: 'trail', interactive: false });
    const layers = L.layerGroup([trail, circle, marker]).addTo(this.#map);
    const label = document.createElement('span');
    label.textContent = name;
    marker.bindTooltip(label);
    marker.on('click', () => {
      this.#onChosen(sessionId);
    });
    marker.getElement()?.setAttribute('data-session', sessionId);
    const shown = { layers, marker, circle, trail };
    this.#shown.set(sessionId, shown);
    this.#mark(sessionId, sessionId === this.#chosen);
    return shown;
  }

  #mark(sessionId: string, isChosen: boolean): void {
    this.#shown.get(sessionId)?.marker.getElement()?.classList.toggle('chosen', isChosen);
  }

  #newHome(home: GeoPoint): L.Marker {
    const icon = homeIcon(false);
    const options = { icon, alt: 'A student’s home', keyboard: false, interactive: false, opacity: 0 };
    return L.marker(latLng(home), options).addTo(this.#map);
  }
}
