import { describeAdapter } from "../../adapter-tests/cases.js";
import { loadHarness } from "./harness.js";

describeAdapter("hooks of React", loadHarness);
