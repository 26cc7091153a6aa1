package telemetry

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// marshalJSON writes a message as OTLP has it in JSON: as protobuf's own JSON,
// but with numbers for enumerations and hexadecimal ids.
func marshalJSON(message proto.Message) ([]byte, error) {
	text, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(message)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	hexIDs(tree)
	return json.Marshal(tree)
}

func hexIDs(tree any) {
	switch t := tree.(type) {
	case []any:
		for _, v := range t {
			hexIDs(v)
		}
	case map[string]any:
		for key, v := range t {
			text, isText := v.(string)
			if isText && (key == "traceId" || key == "spanId" || key == "parentSpanId") {
				if id, err := base64.StdEncoding.DecodeString(text); err == nil {
					t[key] = hex.EncodeToString(id)
				}
				continue
			}
			hexIDs(v)
		}
	}
}

// unmarshalJSON reads an answer; what cannot be read leaves it empty.
func unmarshalJSON(text []byte, answer proto.Message) {
	if (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, answer) != nil {
		proto.Reset(answer)
	}
}
