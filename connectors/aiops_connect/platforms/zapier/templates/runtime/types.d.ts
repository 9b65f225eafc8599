// What the runtime part handles, for `npm run types`. Nothing of it is there when the app runs.

import type { Bundle as ZapierBundle, ZObject } from 'zapier-platform-core';

declare global {
  type Z = ZObject;
  type Bundle = ZapierBundle<Record<string, any>>;
  /** What came out of JSON, or goes into it. */
  type Json = any;
  /** Where something stands in JSON (RFC 6901). */
  type Pointer = string;

  /** How fields become one value of a call. Each type of node has its own of the members at the end. */
  interface InputNode {
    name: string;
    type: string;
    key: string;
    label?: string;
    in?: string;
    required?: boolean;
    style?: string;
    explode?: boolean;
    allowReserved?: boolean;
    contentType?: string;
    fields: InputNode[];
    item: InputNode;
    variants: InputNode[];
    value: any;
    form?: string;
    orText?: boolean;
    minimum?: number;
    maximum?: number;
    lengthMin?: number;
    lengthMax?: number;
    itemsMin?: number;
    itemsMax?: number;
  }
  /** An input that is set. */
  interface InputValue {
    node: InputNode;
    value: Json;
  }
  interface BodyForm {
    format: string;
    mediaType: string;
    required?: boolean;
    whole?: boolean;
  }
  interface Content {
    content: Buffer | string;
    contentType: string;
  }
  /** Where an error lists what is wrong: the sentence of each, and its input. */
  interface ErrorList {
    items: Pointer;
    message: Pointer;
    field?: Pointer;
  }
  /** A call of the API, as the description has it. */
  interface ApiCall {
    method: string;
    path: string;
    inputs: InputNode[];
    own?: Record<string, InputNode>;
    server?: string;
    body?: BodyForm;
    messages?: Pointer[];
    details?: ErrorList[];
    /** It costs credits. */
    isPaid?: boolean;
    answer: string;
  }
  /** A value, a pointer into what came before, or what Zapier says: one of them. */
  interface Source {
    value?: Json;
    from: Pointer;
    platform: string;
  }
  /** A call on the way to something: of which operation, and where its inputs come from. */
  interface Step {
    operation: string;
    inputs: Record<string, Source>;
  }
  interface CallOptions {
    isTest?: boolean;
    isRepeatable?: boolean;
    expected?: number[];
    raw?: boolean;
    timeoutMs?: number;
    platform?: Record<string, Json>;
    more?: Record<string, Json>;
    url?: string;
    withResponse?: boolean;
  }
  interface Paging {
    kind: string;
    field: string;
    first: number;
    next: Pointer;
    more?: Pointer;
    ofItem?: boolean;
  }
  type Position = any;
  interface Page {
    answer: Json;
    items: Json[];
    response: HttpAnswer;
  }
  interface Found {
    found: Json[];
    next?: Position;
  }
  /** What tells a repeat of some work from new work. */
  interface Work {
    entered?: Entry;
    step: string;
    values: InputValue[];
    callbackUrl?: string;
    isEditor?: boolean;
    now?: number;
  }
  interface FileOutput {
    pointer: Pointer;
    key: string;
  }
  interface JobPlan {
    acceptedStatus: string;
    start: Record<string, Source>;
    status: Step;
    state: Pointer;
    succeeded: string[];
    failed: string[];
    cancelled: string[];
    outputs: { name: string; pointer: Pointer }[];
    reason?: Pointer;
    refunded?: Pointer;
    callback: { field: string; job: Pointer };
  }
  /** Of the whole app. */
  interface Settings {
    title: string;
    homepage: string;
    baseUrl: string;
    baseUrlVariable: string;
    otherServers: string[];
    variables: { name: string; key: string; default: string | null }[];
  }
  interface Started {
    isAccepted: boolean;
    body: Json;
  }
  /** What is done for an action or a search. */
  interface Plan {
    call: ApiCall;
    idempotency: string;
    job: JobPlan;
    files?: FileOutput[];
    items?: Pointer;
    paging?: Paging;
    narrow?: { key: string; pointer: Pointer };
  }
  /** `events` by the value at `state` in an item, where that tells. */
  type Samples = Step & { items: Pointer; pointer: Pointer; state?: Pointer; events?: Record<string, string> };
  /** What is done for a hook. */
  interface HookPlan {
    subscribe: Step;
    unsubscribe: Step;
    events: Json[];
    event?: Pointer;
    sample?: Json;
    samples?: Samples;
    files?: FileOutput[];
    signature?: { scheme: string; secret: Pointer };
  }
  /** What fills a list. */
  interface ListPlan {
    call: Step;
    items: Pointer;
    value: Pointer;
    label: Pointer;
    paging?: Paging;
  }
  /** What Zapier calls: a step, or a part of one. */
  type Perform = (z: Z, bundle: Bundle) => any;
  /** What Zapier shows of a step. */
  type Definition = Record<string, any>;

  interface HttpRequest {
    method: any;
    url: string;
    headers: Record<string, string>;
    body?: Buffer | string;
    middlewareData?: { anonymous?: boolean };
  }
  /** As core has it, with what the app says of it to itself. */
  interface SentRequest {
    url: string;
    method?: string;
    raw?: boolean;
    middlewareData?: Record<string, any>;
  }
  interface HttpAnswer {
    status: number;
    headers: { get(name: string): string | null };
    content: string;
    body: AsyncIterable<Buffer>;
    request: SentRequest;
    skipThrowForStatus: boolean;
  }
  /** Where one of the credentials is sent. */
  interface CredentialPart {
    in: string;
    name: string;
    prefix: string;
    key: string;
  }
  interface CodeFlow {
    authorizationUrl: string;
    tokenUrl: string;
    refreshUrl: string;
    scope: string;
  }
  /** What a person entered. */
  type Entry = any;
  interface Entering {
    z: Z;
    bundle: Bundle;
  }
}
