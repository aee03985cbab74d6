// Written by hand in the form that the plugin generates, with one kind of each sort.

/** The kinds of task that this app registers. */
export type Tasks = {
	"download": {
		input: DownloadInput;
		detail: Stage;
		item: never;
		output: string;
		error: DownloadError;
	};
	"hash-folder": {
		input: string;
		detail: null;
		item: Digest;
		output: [number, Digest[]];
		error: string;
	};
	"cat": {
		input: string;
		detail: null;
		item: Uint8Array;
		output: null;
		error: string;
	};
	"tick": {
		input: null;
		detail: null;
		item: never;
		output: number;
		error: Never;
	};
	"tidy": {
		input: TidyInput | null;
		detail: number | null;
		item: never;
		output: null;
		error: string;
	};
};

export type Digest = {
	path: string,
	hash: string,
};

export type DownloadError = { type: "http"; data: number } | { type: "io"; data: string };

export type DownloadInput = {
	url: string,
	maxRetries?: number,
	sha256?: string | null,
};

export type Never = never;

export type Stage = { phase: "connecting" } | { phase: "receiving"; file: string };

export type TidyInput = {
	days: number,
};
