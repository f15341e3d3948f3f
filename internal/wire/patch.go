package wire

import "reflect"

// Patch is what changed of an entity since it was read, as a JSON merge patch (RFC 7396): what was cleared is null, a list
// is sent whole, an object of which another arm was chosen too. An entity that was not read is sent as ToREST says it.
func Patch(v any) (map[string]any, error) {
	k, ok := v.(Documented)
	if !ok || k.WireDocument().d == nil {
		return ToREST(v)
	}
	fresh := reflect.New(reflect.TypeOf(v).Elem())
	(&Decoding{sp: REST, load: &loader{}}).value(TreeNode(k.WireDocument().d.raw), fresh.Elem())
	was, err := (&Encoding{sp: REST, tagged: true}).object(fresh.Interface())
	if err != nil {
		return nil, err
	}
	now, err := (&Encoding{sp: REST, tagged: true}).object(v)
	if err != nil {
		return nil, err
	}
	return patch(was, now, false), nil
}

// patch is what turns was into now; all of now where another arm was chosen.
func patch(was, now map[string]any, all bool) map[string]any {
	out := map[string]any{}
	all = all || was[markKey] != now[markKey]
	for k := range was {
		if _, still := now[k]; !still && k != markKey {
			out[k] = nil
		}
	}
	for k, n := range now {
		if k == markKey || !all && sameTree(was[k], n) {
			continue
		}
		wm, ok1 := was[k].(map[string]any)
		nm, ok2 := n.(map[string]any)
		if ok1 && ok2 {
			out[k] = patch(wm, nm, all)
			continue
		}
		out[k] = unmark(n)
	}
	return out
}
