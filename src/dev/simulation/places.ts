/** A point on the earth, degrees WGS 84. */
export interface GeoPoint {
  latitude: number;
  longitude: number;
}

/** A quarter of Bengaluru; its streets run along `streetAngle` (degrees clockwise from north) and across. */
export interface Neighbourhood {
  name: string;
  centre: GeoPoint;
  streetAngle: number;
}

const quarter = (name: string, latitude: number, longitude: number, streetAngle: number): Neighbourhood => ({
  name,
  centre: { latitude, longitude },
  streetAngle,
});

/** Where there is a sample session, its home is the centre, so that it lies on the quarter's streets. */
export const neighbourhoods: readonly Neighbourhood[] = [
  quarter('Indiranagar', 12.978369, 77.640835, 4),
  quarter('Koramangala', 12.935192, 77.62448, 24),
  quarter('Jayanagar', 12.925007, 77.593803, 2),
  quarter('HSR Layout', 12.911623, 77.638862, 32),
  quarter('Malleshwaram', 13.0031, 77.5643, 10),
  quarter('Basavanagudi', 12.9422, 77.5738, 8),
  quarter('Rajajinagar', 12.9916, 77.5545, 18),
  quarter('BTM Layout', 12.9166, 77.6101, 6),
  quarter('Banashankari', 12.9255, 77.5468, 14),
  quarter('Frazer Town', 12.9978, 77.6145, 28),
];

export const trainerNames: readonly string[] = [
  ...['Asha', 'Vikram', 'Meera', 'Arjun', 'Lakshmi', 'Rohan', 'Kavya', 'Suresh', 'Divya', 'Imran'],
  ...['Nandini', 'Prakash', 'Farah', 'Ganesh', 'Shruti', 'Thomas', 'Anjali', 'Ravi', 'Sneha', 'Joseph'],
];
