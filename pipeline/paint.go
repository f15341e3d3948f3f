package pipeline

import (
	"slices"
	"strings"

	"github.com/azureml-go/azureml/jobs"
)

// paint is how a kind of box is coloured: on a light and on a dark background, as fill and line.
type paint struct {
	class, word        string
	fill, line         string
	darkFill, darkLine string
	dashed             bool
}

const (
	inkLight, inkDark   = "#1f2328", "#e6edf3"
	softLight, softDark = "#57606a", "#9198a1"
	lineLight, lineDark = "#6e7781", "#7d8590"
)

var (
	plain    = paint{class: "plain", fill: "#f6f8fa", line: "#818b98", darkFill: "#161b22", darkLine: "#6e7681"}
	portal   = paint{class: "port", fill: "#ffffff", line: "#afb8c1", darkFill: "#0d1117", darkLine: "#57606a"}
	waiting  = paint{class: "waiting", word: "waiting", fill: "#fff8c5", line: "#9a6700", darkFill: "#2b2312", darkLine: "#d29922"}
	running  = paint{class: "running", word: "running", fill: "#ddf4ff", line: "#0969da", darkFill: "#0c2238", darkLine: "#58a6ff"}
	finished = paint{class: "completed", word: "completed", fill: "#dafbe1", line: "#1a7f37", darkFill: "#10261a", darkLine: "#3fb950"}
	reused   = paint{class: "reused", word: "reused", fill: "#fbefff", line: "#8250df", darkFill: "#221a33", darkLine: "#a371f7"}
	failed   = paint{class: "failed", word: "failed", fill: "#ffebe9", line: "#cf222e", darkFill: "#331517", darkLine: "#f85149"}
	canceled = paint{class: "canceled", word: "canceled", fill: "#eaeef2", line: "#6e7781", darkFill: "#21262d", darkLine: "#8b949e", dashed: true}
	paints   = []*paint{&plain, &portal, &waiting, &running, &finished, &reused, &failed, &canceled}
)

// paintOf is how a vertex is coloured.
func paintOf(v *vertex) *paint {
	switch {
	case v.role == input_ || v.role == output_:
		return &portal
	case v.state.Reused:
		return &reused
	}
	switch s := v.state.Status; {
	case s == "":
		return &plain
	case strings.EqualFold(string(s), string(jobs.Completed)):
		return &finished
	case strings.EqualFold(string(s), string(jobs.Failed)), strings.EqualFold(string(s), string(jobs.NotResponding)):
		return &failed
	case strings.EqualFold(string(s), string(jobs.Canceled)), strings.EqualFold(string(s), string(jobs.CancelRequested)):
		return &canceled
	case strings.EqualFold(string(s), string(jobs.Running)), strings.EqualFold(string(s), string(jobs.Finalizing)):
		return &running
	}
	return &waiting
}

// tally counts the states of the steps, in the order of the paints.
func (g *graph) tally(into map[*paint]int) {
	for _, v := range g.vs {
		if p := paintOf(v); p.word != "" {
			into[p]++
		}
		if v.inner != nil {
			v.inner.tally(into)
		}
	}
}

// line is what stands below a vertex's title.
func (v *vertex) line() string {
	if s := v.state.String(); s != "" {
		return v.sub + " · " + s
	}
	return v.sub
}

// hint is what is said of a vertex when it is pointed at.
func (v *vertex) hint() string {
	parts := []string{v.title, v.line(), v.tip}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n")
}

// clean is a text without what cannot stand in a file of text.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20 || r == 0x7f || r >= 0xfffe && r <= 0xffff || r == 0xfffd || r >= 0x80 && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// short cuts a text to a number of letters.
func short(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
