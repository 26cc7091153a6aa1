package object

// Access is something that one wants to do with an object, as permissions see
// it. For the verbs list, watch and create the name is not part of the
// question.
type Access struct {
	// Verb is Kubernetes' word: get, list, watch, create, patch, update, delete.
	Verb string
	Ref  Ref
}

// String is "verb Kind/namespace/name", or without a name where the verb is
// about all objects of the kind.
func (a Access) String() string {
	switch a.Verb {
	case "list", "watch":
		where := a.Ref.Kind
		if a.Ref.Namespace != "" {
			where += " in namespace " + a.Ref.Namespace
		}
		return a.Verb + " " + where
	}
	return a.Verb + " " + a.Ref.String()
}
