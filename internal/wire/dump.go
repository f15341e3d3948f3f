package wire

// DumpYAML writes an entity as the file of `az ml` v2: fields in the order of the struct, in block style, quoted where
// YAML 1.1 needs it, so that LoadYAML and the reference SDK read it back.
func DumpYAML(v any) ([]byte, error) {
	e := &Encoding{sp: YAML, ro: true, order: map[uintptr][]string{}}
	m, err := e.object(v)
	if err != nil {
		return nil, err
	}
	em := &emitter{keys: e.keysOf, unicode: true, literal: true}
	return em.document(m)
}

// EmitYAML writes plain Go (Tree) as PyYAML's safe_dump(default_flow_style=False) does: keys sorted at every level. It is
// the text that goes on the wire as an environment's condaFile.
func EmitYAML(tree any) ([]byte, error) {
	em := &emitter{keys: func(m map[string]any) []string { return sortedKeys(m) }}
	return em.document(tree)
}
