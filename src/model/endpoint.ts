/** `10.0.0.100:80`, `[fd00::100]:80` */
export const endpoint = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
