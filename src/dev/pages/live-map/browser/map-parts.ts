import * as L from 'leaflet';
import type { Watched } from '../../../../client/index.js';
import type { GeoPoint } from '../../../simulation/places.js';
import type { MapSession, MapTiles } from '../map-session.js';
import { DrawnCity } from './drawn-city.js';

/** The drawn streets, and real tiles over them where there are some: those that do not come leave the streets to be seen. */
export function background(tiles: MapTiles | null): L.LayerGroup {
  const city = new DrawnCity();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => city.redraw());
  if (tiles === null) return L.layerGroup([city]);
  const attribution = new Option(tiles.attribution).innerHTML;
  return L.layerGroup([city, L.tileLayer(tiles.url, { attribution, className: 'real-tiles', maxZoom: 19 })]);
}

export function trainerIcon({ trainerName }: MapSession): L.DivIcon {
  return L.divIcon({
    className: 'trainer',
    iconSize: [34, 34],
    html: `<span class="arrow"></span><b>${trainerName.slice(0, 1)}</b>`,
  });
}

const house =
  '<svg viewBox="0 0 24 24" width="15" height="15" aria-hidden="true"><path fill="currentColor" d="M12 3 2 11.5h3V20h5.5v-5.500h3V20H19v-8.500h3z"/></svg>';

export function houseIcon(isFree: boolean): L.DivIcon {
  const size = isFree ? 28 : 20;
  return L.divIcon({ className: isFree ? 'house free' : 'house', iconSize: [size, size], html: house });
}

/** Freshness as colour, and which way it goes. */
export function showState(
  state: Watched['state'],
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
