//go:build race

package chart

// raceDetector tells that the race detector is built in: it reserves more
// memory than a process with a fence around its memory may have.
const raceDetector = true
