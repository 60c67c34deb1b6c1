// The markers of a JPEG. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1.
export const jpegMarker = { dht: 0xc4, eoi: 0xd9, sos: 0xda, dqt: 0xdb, dri: 0xdd } as const;

/** The markers C0 to CF start a frame, except DHT (C4), JPG (C8) and DAC (CC). */
export const isFrame = (code: number) => code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code);
export const isProgressive = (code: number) => [0xc2, 0xc6, 0xca, 0xce].includes(code);
