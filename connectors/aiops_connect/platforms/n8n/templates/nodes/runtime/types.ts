/** What the rendered files say of an API, and what the modules beside this one take. */
import type { IExecuteFunctions, IHookFunctions, ILoadOptionsFunctions } from 'n8n-workflow';

export type Json = boolean | number | string | null | Json[] | { [name: string]: Json | undefined };
export type JsonObject = { [name: string]: Json | undefined };
export type Scalar = boolean | number | string;

/** Whoever can call the API. */
export type Caller = IExecuteFunctions | ILoadOptionsFunctions | IHookFunctions;

export type Style =
	| 'simple'
	| 'label'
	| 'matrix'
	| 'form'
	| 'spaceDelimited'
	| 'pipeDelimited'
	| 'deepObject';

/** How the value of a parameter becomes a value on the wire. */
export type Shape =
	| { kind: 'text' | 'integer' | 'number' | 'boolean' | 'dateTime' | 'date' | 'time' | 'json' }
	/** `prefix` stands before the values of the list, where one of them would else be an expression. */
	| { kind: 'choice'; prefix?: string }
	/** The name of a field of the item that holds the file. */
	| { kind: 'file'; as: 'bytes' | 'base64' }
	/** A link, or a file that is uploaded for one; `source` and `data` are the parameters that say which. */
	| { kind: 'link'; source: string; data: string; upload: Upload }
	| { kind: 'list'; item: Shape }
	/** One of several shapes: the section of a fixed collection that is filled in. */
	| { kind: 'union'; variants: Variant[] }
	/** `wrapped`: a fixed collection, with its members below `values`; `many`: a list of them. */
	| { kind: 'group'; members: Member[]; constants: JsonObject; wrapped: boolean; many: boolean };

export interface Upload {
	operation: string;
	field: string;
	url: string;
}

/** A member of a group; `optional`: it stands in the collection of the group, and is sent where it is there. */
export interface Member {
	parameter: string;
	name: string;
	label: string;
	shape: Shape;
	optional: boolean;
}

/** A section of a fixed collection and what it stands for; `isBare`: the value is that of its only member. */
export interface Variant {
	section: string;
	label: string;
	shape: Extract<Shape, { kind: 'group' }>;
	isBare: boolean;
}

/** An input of an operation. Without a `parameter` nobody is asked for it. */
export interface Input {
	id: string;
	name: string;
	label: string;
	location: 'path' | 'query' | 'header' | 'cookie' | 'body';
	shape: Shape;
	parameter?: string;
	collection?: string;
	/** Null is a value that can be sent. */
	isNullable?: boolean;
	constant?: Scalar;
	style?: Style;
	explode?: boolean;
	allowReserved?: boolean;
	contentType?: string;
}

export interface Body {
	mediaType: string;
	format: 'json' | 'form' | 'multipart' | 'bytes' | 'text';
	required: boolean;
	isWhole: boolean;
}

/** A file in an answer: a link to it, or its content in base 64. */
export interface FileField {
	name: string;
	form: 'url' | 'base64';
	mediaType?: string;
}

export interface ErrorFacts {
	help: string;
	message?: string;
	code?: string;
	codes: { [code: string]: string };
	isRetryable: boolean;
}

export interface Binding {
	field: string;
	source: { pointer: string } | { value: Json } | { platform: 'url' | 'events' };
}

export interface Call {
	operation: string;
	bindings: Binding[];
}

export interface Job {
	acceptedStatus: number;
	status: Call;
	state: string;
	succeeded: string[];
	failed: string[];
	cancelled: string[];
	start: Binding[];
	cancel?: Call;
	wait?: { field: string; text: string; secondsMax: number };
	reason?: string;
	outputs: Array<{ name: string; pointer: string }>;
	/** The outputs are not all that the operation answers: the call is repeated under its key for the rest. */
	isRepeated: boolean;
	/** The operations by which people take the job up again, and see which jobs there are. */
	resume?: string;
	list?: string;
}

/** Where it stands what work has cost: pointers into the job, or into the answer where the work is none. */
export interface Credits {
	/** The member of the output that tells it. */
	name: string;
	charged?: string;
	refunded?: string;
	/** What a success costs, where nothing is said of that in the answer. */
	price?: number;
	/** What can still be spent: a pointer into the answer, else a call and one into its answer. */
	left?: string;
	balance?: { operation: string; left: string };
}

/** A member of a simplified answer. */
export interface Kept {
	name: string;
	pointer: string;
}

export type Pages =
	| { kind: 'cursor'; field: string; next: string; isOfItem: boolean; more?: string; limit?: string; items: string }
	| { kind: 'offset'; field: string; limit?: string; items: string }
	| { kind: 'page'; field: string; first: number; limit?: string; items: string }
	| { kind: 'link'; next?: string; limit?: string; items: string };

export interface Operation {
	id: string;
	label: string;
	method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
	path: string;
	/** Where it is, unless where the credential says. */
	server?: string;
	inputs: Input[];
	body?: Body;
	answer: 'json' | 'text' | 'bytes' | 'none';
	accept?: string;
	files: FileField[];
	errors: { [status: string]: ErrorFacts };
	job?: Job;
	/** It looks a job up and waits for it. */
	isWaiting?: boolean;
	pages?: Pages;
	/** How many items a page has at most, where that is known. */
	pageSizeMax?: number;
	/** The id of the input that holds the key, and how long that may be, where that is known. */
	idempotency?: string;
	keyLengthMax?: number;
	isDelete?: boolean;
	credits?: Credits;
	/** What is kept of an answer that is simplified. */
	simplified?: Kept[];
}

export interface ListSource {
	call: Call;
	items: string;
	value: string;
	label: string;
}

/** How events are asked for; `event`, `delivery` and `secret` say where they are told apart, and proved. */
export interface Subscription {
	events: string[];
	signature?: { secret?: string };
	event?: string;
	delivery?: string;
	subscribe?: Call;
	unsubscribe?: Call;
	list?: Call;
}

/** An API: where it is and what it can do. */
export interface Api {
	title: string;
	/** Names of credentials; where there are several, the parameter `authentication` holds one. */
	credentials: string[];
	/** Those of them whose tokens n8n renews. */
	renewed?: string[];
	operations: { [id: string]: Operation };
}

/** One operation for one item. */
export interface Work {
	context: IExecuteFunctions;
	api: Api;
	operation: Operation;
	itemIndex: number;
}

/** Values of inputs, by the inputs' ids. */
export type Values = Map<string, Value>;

/** A file on its way to the API. `identity` is the same for the same content within an execution. */
export interface FileValue {
	fileName: string;
	mimeType: string;
	sizeBytes: number;
	identity: string | Buffer;
	whole: () => Promise<Buffer>;
	/** Opens it in n8n's store; absent where that holds it in memory. */
	stream?: () => Promise<Stream>;
}

export type Stream = Awaited<ReturnType<IExecuteFunctions['helpers']['getBinaryStream']>>;

export type Value = Json | FileValue;

/** What was answered to the call of an address. */
export interface Answer {
	url: string;
	/** The address of the API that was called. */
	server: string;
	status: number;
	headers: { [name: string]: string };
	body: unknown;
}
