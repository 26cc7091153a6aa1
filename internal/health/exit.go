package health

import "fmt"

// exitText says in words what an exit code means and what to do about it. The
// sentence continues "container NAME ...". Codes above 128 are a signal's
// number plus 128, by the shells' convention; signal, when the runtime told
// one, wins.
func exitText(code, signal int) (message, advice string) {
	if signal == 0 && code > 128 && code < 128+65 {
		signal = code - 128
	}
	if s, ok := signals[signal]; ok {
		return fmt.Sprintf("%s (%s, exit code %d)", s.text, s.name, code), s.advice
	}
	if signal > 0 {
		return fmt.Sprintf("was ended by signal %d (exit code %d)", signal, code), ""
	}
	if s, ok := exitCodes[code]; ok {
		return fmt.Sprintf("ended with exit code %d: %s", code, s.text), s.advice
	}
	return fmt.Sprintf("ended with exit code %d", code), "see its log"
}

// exitCodes are those that shells and runtimes give a meaning.
var exitCodes = map[int]struct{ text, advice string }{
	0:   {"it succeeded", "if it should go on running, it must not end by itself"},
	126: {"the command was found but could not be executed", "check that the file is executable and built for the node's architecture"},
	127: {"command not found", "check the command, and that the image has it"},
	128: {"the container could not be started, or a bad argument was given to exit", ""},
	255: {"an exit code out of range, which often means an unhandled error", "see its log"},
}

// signals that end processes, in words.
var signals = map[int]struct{ name, text, advice string }{
	1:  {"SIGHUP", "was hung up", ""},
	2:  {"SIGINT", "was interrupted", ""},
	3:  {"SIGQUIT", "was told to quit and dump", "see its log for the stack that it left"},
	4:  {"SIGILL", "ran an instruction that the CPU does not know", "the image may be built for another kind of CPU"},
	6:  {"SIGABRT", "aborted itself", "see its log for the assertion or panic"},
	7:  {"SIGBUS", "touched memory that is not backed", "a mapped file may have shrunk, or /dev/shm be too small"},
	8:  {"SIGFPE", "made an arithmetic error", "see its log"},
	9:  {"SIGKILL", "was killed", "the usual causes: the node ran out of memory, a liveness probe failed, it did not stop in its grace period, or someone killed it"},
	11: {"SIGSEGV", "crashed on a bad memory address", "a bug in the program or one of its libraries"},
	13: {"SIGPIPE", "wrote to a closed pipe", ""},
	14: {"SIGALRM", "was ended by its own alarm", ""},
	15: {"SIGTERM", "was asked to stop, and did", "something deleted or replaced the pod, or its liveness probe failed; see the events"},
}
