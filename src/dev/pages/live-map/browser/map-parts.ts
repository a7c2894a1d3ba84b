import * as L from 'leaflet';
import type { GeoPoint } from '../../../simulation/places.js';
import type { MapTiles } from '../map-session.js';
import { DrawnCity } from './drawn-city.js';

/** The drawn streets, and real tiles over them where there are some: those that do not come leave the streets to be seen. */
export function background(tiles: MapTiles | null): L.LayerGroup {
  const city = new DrawnCity();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => city.redraw());
  if (tiles === null) return L.layerGroup([city]);
  const attribution = new Option(tiles.attribution).innerHTML;
  return L.layerGroup([city, L.tileLayer(tiles.url, { attribution, className: 'real-tiles', maxZoom: 19 })]);
}

export function trainerIcon(name: string): L.DivIcon {
  const initial = document.createElement('b');
  initial.textContent = name.slice(0, 1);
  return L.divIcon({
    className: 'trainer',
    iconSize: [34, 34],
    html: `<span class="arrow"></span>${initial.outerHTML}`,
  });
}

const pin =
  '<svg viewBox="0 0 28 36" aria-hidden="true"><path class="pin" d="M14 35C9 27 2 22 2 13.500a12 12 0 0 1 24 0C26 22 19 27 14 35z"/><path class="roof" d="M14 6.500 6.500 13H9v6.500h3.700v-4h2.600v4H19V13h2.500z"/></svg>';

/** Its tip is at the home, so that a trainer at the door does not cover it. */
export function homeIcon(isChosen: boolean): L.DivIcon {
  const [width, height] = isChosen ? [32, 41] : [20, 26];
  return L.divIcon({
    className: isChosen ? 'home chosen' : 'home',
    iconSize: [width, height],
    iconAnchor: [width / 2, height],
    html: pin,
  });
}

/** Freshness as colour, and which way it goes. */
export function showState(
  state: string,
  { heading }: { heading?: number | undefined },
  marker: L.Marker,
  lines: L.Path[],
): void {
  const icon = marker.getElement();
  if (icon) {
    icon.dataset['state'] = state;
    icon.style.setProperty('--heading', `${heading ?? 0}deg`);
  }
  for (const line of lines) line.getElement()?.setAttribute('data-state', state);
}

export function latLng({ latitude, longitude }: GeoPoint): L.LatLng {
  return L.latLng(latitude, longitude);
}
