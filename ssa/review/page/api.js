// Questions to the server. Addresses are relative: the page's own has the token.

/** The server said no, or nothing: `status` is 0 then. */
export class Failure extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function answered(path, options) {
  let response;
  try {
    response = await fetch(`api/${path}`, options);
  } catch {
    throw new Failure(0, "");
  }
  if (response.ok) return response;
  let text = response.statusText;
  try {
    text = (await response.json()).error ?? text;
  } catch { /* no JSON: the status says it */ }
  throw new Failure(response.status, text);
}

/** @param {string} name @param {Record<string, string|number>} query @returns {Promise<any>} */
export async function ask(name, query = {}) {
  return (await answered(`${name}?${new URLSearchParams(query)}`)).json();
}

/** @returns {Promise<any>} */
export async function tell(name, payload) {
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(payload) };
  return (await answered(name, options)).json();
}

/** The picture's pixels, null where they are gone. @returns {Promise<ImageBitmap|null>} */
export async function image(number) {
  try {
    return await createImageBitmap(await (await answered(`image?picture=${number}`)).blob());
  } catch (error) {
    if (error instanceof Failure && error.status === 404) return null;
    throw error;
  }
}

/** @returns {Promise<ArrayBuffer>} three planes of bytes */
export async function idPlanes(number) {
  return (await answered(`idmap?picture=${number}`)).arrayBuffer();
}
