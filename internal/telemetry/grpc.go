package telemetry

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// The whole of gRPC that OTLP needs: one request with one message, one answer
// with one message and a status in the trailer, over the HTTP/2 of net/http. A
// gRPC library would add megabytes to the program for it (docs/adr/0010).

// grpcPaths are the methods that take the signals.
var grpcPaths = map[signal]string{
	traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	logs:   "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}

// frameHead is a byte that tells compression, and the length.
const frameHead = 5

func frame(text []byte, compressed bool) []byte {
	out := make([]byte, frameHead, frameHead+len(text))
	if compressed {
		out[0] = 1
	}
	binary.BigEndian.PutUint32(out[1:], uint32(len(text)))
	return append(out, text...)
}

// unframe is the message of an answer; empty for one that is compressed, which
// we do not ask for.
func unframe(text []byte) []byte {
	if len(text) < frameHead || text[0] != 0 || int(binary.BigEndian.Uint32(text[1:])) != len(text)-frameHead {
		return nil
	}
	return text[frameHead:]
}

// grpcAgain are the codes after which the specification of OTLP has a client
// try again: cancelled, deadline exceeded, resource exhausted, aborted, out of
// range, unavailable, data loss.
var grpcAgain = map[int]bool{1: true, 4: true, 8: true, 10: true, 11: true, 14: true, 15: true}

// grpcRefusal is nil for the status 0. An answer without a body has its status
// in the header.
func grpcRefusal(resp *http.Response) error {
	status, message := resp.Trailer.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")
	if status == "" {
		status, message = resp.Header.Get("Grpc-Status"), resp.Header.Get("Grpc-Message")
	}
	if status == "0" {
		return nil
	}
	code, err := strconv.Atoi(status)
	if err != nil {
		return &rejection{err: fmt.Errorf("the collector does not speak gRPC at this address")}
	}
	if text, err := url.PathUnescape(message); err == nil {
		message = text
	}
	return &rejection{err: fmt.Errorf("the collector answered with the gRPC status %d%s", code, said([]byte(message))), again: grpcAgain[code]}
}
