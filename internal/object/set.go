package object

// Set holds references by identity, in the order in which they were first
// added. The zero value is an empty set. It is not safe for concurrent changes.
type Set struct {
	refs  []Ref
	index map[Key]int
}

// NewSet is a set of the given references.
func NewSet(refs ...Ref) *Set {
	s := &Set{index: make(map[Key]int, len(refs))}
	for _, r := range refs {
		s.Add(r)
	}
	return s
}

// Add puts the reference in and reports whether it is new. One that is there
// already stays as it is, in another API version too.
func (s *Set) Add(r Ref) bool {
	if s.Has(r.Key()) {
		return false
	}
	if s.index == nil {
		s.index = map[Key]int{}
	}
	s.index[r.Key()] = len(s.refs)
	s.refs = append(s.refs, r)
	return true
}

// Has reports whether an object of that identity is in the set.
func (s *Set) Has(k Key) bool {
	_, ok := s.index[k]
	return ok
}

// Get is the reference that was added for that identity.
func (s *Set) Get(k Key) (Ref, bool) {
	i, ok := s.index[k]
	if !ok {
		return Ref{}, false
	}
	return s.refs[i], true
}

// Len is the number of objects.
func (s *Set) Len() int { return len(s.refs) }

// Refs are the references in the order in which they were added. The caller
// must not change the slice.
func (s *Set) Refs() []Ref { return s.refs }

// Minus is a new set of what is in s and not in other, in the order of s.
func (s *Set) Minus(other *Set) *Set {
	out := NewSet()
	for _, r := range s.refs {
		if !other.Has(r.Key()) {
			out.Add(r)
		}
	}
	return out
}
