//go:build !race

package chart

// raceDetector tells that the race detector is built in.
const raceDetector = false
