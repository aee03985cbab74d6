import { describeAdapter } from "../../adapter-tests/cases.js";
import { loadHarness } from "./harness.js";

describeAdapter("primitives of Solid", loadHarness);
