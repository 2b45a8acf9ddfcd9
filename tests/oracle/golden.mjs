export async function writeGolden() {}
