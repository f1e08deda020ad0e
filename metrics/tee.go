package metrics

// Tee returns a Recorder that hands each event to all of these, in their order. Those that are nil, or [Nop], are left out.
func Tee(recorders ...Recorder) Recorder {
	kept := make([]Recorder, 0, len(recorders))
	wanted := false
	for _, r := range recorders {
		if _, forgets := r.(Nop); r == nil || forgets {
			continue
		}
		wanted = wanted || WantsReadTags(r)
		kept = append(kept, r)
	}
	switch {
	case len(kept) == 0:
		return Nop{}
	case len(kept) == 1:
		return kept[0]
	case wanted:
		return tee(kept)
	default:
		return leanTee{kept}
	}
}

type tee []Recorder

// Read implements [Recorder].
func (t tee) Read(e ReadEvent) {
	for _, r := range t {
		r.Read(e)
	}
}

// Fill implements [Recorder].
func (t tee) Fill(e FillEvent) {
	for _, r := range t {
		r.Fill(e)
	}
}

// Write implements [Recorder].
func (t tee) Write(e WriteEvent) {
	for _, r := range t {
		r.Write(e)
	}
}

// State implements [Recorder].
func (t tee) State(e StateEvent) {
	for _, r := range t {
		r.State(e)
	}
}

// A leanTee is one of which nobody looks at the tags of a read.
type leanTee struct{ tee }

// ReadTagsUnwanted implements [ReadTagsUnwanted].
func (leanTee) ReadTagsUnwanted() {}
