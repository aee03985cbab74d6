import { describeAdapter } from "../../adapter-tests/cases.js";
import { loadHarness } from "./harness.js";

describeAdapter("state of Svelte", loadHarness);
