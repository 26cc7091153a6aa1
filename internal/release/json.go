package release

// MarshalJSON gives the record's JSON as Helm's `-o json` prints it and as it
// is stored before compression. A record without its chart leaves that out.
func (r *Release) MarshalJSON() ([]byte, error) { return marshal(r) }
