const firstNames: readonly string[] = [
  ...['Asha', 'Vikram', 'Meera', 'Arjun', 'Lakshmi', 'Rohan', 'Kavya', 'Suresh', 'Divya', 'Imran'],
  ...['Nandini', 'Prakash', 'Farah', 'Ganesh', 'Shruti', 'Thomas', 'Anjali', 'Ravi', 'Sneha', 'Joseph'],
];
const lastNames: readonly string[] = [
  ...['Rao', 'Shetty', 'Iyer', 'Khan', 'Gowda', 'Menon', 'Das', 'Hegde', 'Pinto', 'Nair', 'Bhat'],
];
const studentNames: readonly string[] = [
  ...['Aarav', 'Diya', 'Ishaan', 'Meher', 'Reyansh', 'Tara', 'Kabir', 'Anika', 'Vivaan', 'Zoya'],
  ...['Advik', 'Myra', 'Rehan'],
];
const subjects: readonly string[] = ['Mathematics', 'Physics', 'English', 'Kannada', 'Chemistry', 'Tabla'];

/** The same number gives the same person; 220 trainers before a name returns. */
export function trainerName(number: number): string {
  return `${elementAt(firstNames, number)} ${elementAt(lastNames, number)}`;
}

export function studentName(number: number): string {
  return elementAt(studentNames, number);
}

export function subject(number: number): string {
  return elementAt(subjects, number);
}

export function elementAt<Element>(list: readonly Element[], index: number): Element {
  const element = list[index % list.length];
  if (element === undefined) throw new Error('The list is empty.');
  return element;
}
