package pipeline

import (
	"fmt"
	"strings"
)

// DOT is the drawing in the language of Graphviz.
func (d *Drawing) DOT() string {
	var b strings.Builder
	dir := "TB"
	if d.sideway {
		dir = "LR"
	}
	fmt.Fprintf(&b, "digraph pipeline {\n  graph [rankdir=%s, compound=true, bgcolor=transparent, fontname=\"Helvetica\", fontcolor=%q, label=%s, labelloc=t];\n", dir, softLight, dotText(d.title))
	fmt.Fprintf(&b, "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11, fontcolor=%q];\n", inkLight)
	fmt.Fprintf(&b, "  edge [color=%q, fontname=\"Helvetica\", fontsize=9, fontcolor=%q, arrowsize=0.7];\n", lineLight, softLight)
	dotGraph(&b, d.g, "n", "  ")
	b.WriteString("}\n")
	return b.String()
}

// dotText is a text between quotes; the backslash would begin a word of Graphviz's own.
func dotText(s string) string {
	s = strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n", "\t", " ").Replace(clean(s))
	return "\"" + s + "\""
}

func dotGraph(b *strings.Builder, g *graph, prefix, indent string) {
	for i, v := range g.vs {
		id := fmt.Sprintf("%s%d", prefix, i)
		p := paintOf(v)
		label := short(v.title, 40)
		if line := v.line(); line != "" {
			label += "\n" + short(line, 48)
		}
		if v.inner != nil {
			fmt.Fprintf(b, "%ssubgraph cluster_%s {\n%s  label=%s; style=\"rounded,filled\"; fillcolor=%q; color=%q; fontcolor=%q; tooltip=%s;\n",
				indent, id, indent, dotText(label), p.fill, p.line, inkLight, dotText(v.hint()))
			dotGraph(b, v.inner, id+"_", indent+"  ")
			if len(v.inner.vs) == 0 {
				fmt.Fprintf(b, "%s  %s_0 [shape=point, style=invis];\n", indent, id)
			}
			fmt.Fprintf(b, "%s}\n", indent)
			continue
		}
		more := ""
		switch v.role {
		case input_, output_:
			more = ", shape=ellipse"
		case branch_:
			more = ", shape=hexagon, style=filled"
		case loop_:
			more = ", peripheries=2"
		}
		if p.dashed {
			more += ", style=\"rounded,filled,dashed\""
		}
		fmt.Fprintf(b, "%s%s [label=%s, fillcolor=%q, color=%q, tooltip=%s%s];\n", indent, id, dotText(label), p.fill, p.line, dotText(v.hint()), more)
	}
	for _, e := range g.es {
		from, to, more := fmt.Sprintf("%s%d", prefix, e.from), fmt.Sprintf("%s%d", prefix, e.to), ""
		if inner := g.vs[e.from].inner; inner != nil {
			if i := inner.find(output_, e.fromPort); i >= 0 {
				from = fmt.Sprintf("%s_%d", from, i)
			} else {
				more += fmt.Sprintf(", ltail=cluster_%s", from)
				from = inner.first(from)
			}
		}
		if inner := g.vs[e.to].inner; inner != nil {
			if i := inner.find(input_, e.toPort); i >= 0 {
				to = fmt.Sprintf("%s_%d", to, i)
			} else {
				more += fmt.Sprintf(", lhead=cluster_%s", to)
				to = inner.first(to)
			}
		}
		if e.dashed {
			more += ", style=dashed"
		}
		if len(e.ports) > 0 {
			more += ", tooltip=" + dotText(strings.Join(e.ports, "\n"))
		}
		fmt.Fprintf(b, "%s%s -> %s [label=%s%s];\n", indent, from, to, dotText(short(e.text(g), 40)), more)
	}
}

// first is a box in a cluster, however deep: arrows at the cluster itself are arrows at it that are cut off.
func (g *graph) first(id string) string {
	id += "_0"
	if len(g.vs) > 0 && g.vs[0].inner != nil {
		return g.vs[0].inner.first(id)
	}
	return id
}
