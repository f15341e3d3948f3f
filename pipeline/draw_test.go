package pipeline_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

// texts are the texts of a picture, which has to be well-formed and to have nothing that runs or is fetched.
func texts(t testing.TB, svg []byte) (out []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	d.Strict = true
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		switch x := tok.(type) {
		case xml.CharData:
			if s := strings.TrimSpace(string(x)); s != "" {
				out = append(out, s)
			}
		case xml.StartElement:
			require.NotContains(t, []string{"script", "foreignObject", "image", "use", "a", "link"}, x.Name.Local)
			for _, a := range x.Attr {
				require.False(t, strings.HasPrefix(strings.ToLower(a.Name.Local), "on") || a.Name.Local == "href", a.Name.Local)
			}
		}
	}
}

func TestDrawEveryShape(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job, err := shape(t).Build()
			require.NoError(t, err)
			for _, sideway := range []bool{false, true} {
				d := pipeline.Draw(job, &pipeline.DrawOptions{LeftToRight: sideway})
				got := texts(t, d.SVG())
				for step := range job.Jobs {
					require.Contains(t, got, step)
					require.Contains(t, d.Mermaid(), "\""+step+"<br/>")
					require.Contains(t, d.DOT(), "label=\""+step+"\\n")
				}
				require.Equal(t, strings.Count(d.DOT(), "{"), strings.Count(d.DOT(), "}"))
			}
		})
	}
}

func TestDrawnText(t *testing.T) {
	t.Parallel()
	p := pipeline.New("basic").Display("one").On("cpu")
	raw := p.Input("raw", jobs.URIFolder("azureml:iris:1"))
	a := p.Step("prep", prep()).In("raw", raw)
	b := p.Step("train", train()).In("data", a.Out("clean"))
	p.Output("model", b.Out("model"))
	job, err := p.Build()
	require.NoError(t, err)
	d := pipeline.Draw(job, &pipeline.DrawOptions{Title: "A run", States: map[string]pipeline.State{
		"prep": {Status: jobs.Completed, Reused: true}, "train": {Status: jobs.Running, Duration: 1234 * time.Millisecond},
	}})
	require.Equal(t, `---
title: "A run"
---
flowchart TD
  n0(["raw"]):::port
  n1["prep<br/><small>Prepare · Reused</small>"]:::reused
  n2["train<br/><small>command · Running in 1.23s</small>"]:::running
  n3(["model"]):::port
  n0 --> n1
  n1 -->|"clean"| n2
  n2 --> n3
  classDef port fill:#ffffff,stroke:#afb8c1,color:#1f2328
  classDef running fill:#ddf4ff,stroke:#0969da,color:#1f2328
  classDef reused fill:#fbefff,stroke:#8250df,color:#1f2328
`, d.Mermaid())
	require.Contains(t, d.DOT(), "n1 -> n2 [label=\"clean\", tooltip=\"clean → data\"];")
	got := texts(t, d.SVG())
	require.Contains(t, got, "1 running")
	require.Contains(t, got, "1 reused")
	require.Contains(t, got, "command · Running in 1.23s")
	require.Contains(t, got, "raw\nuri_folder azureml:iris:1", "what an input is shows when it is pointed at")
}

// Whatever a name says, the pictures stay what they are.
func TestDrawnTextIsEscaped(t *testing.T) {
	t.Parallel()
	evil := "</title><script>alert(1)</script>\"];}\nclick n0 href \"javascript:x\" %% & 'q' \x00\x1b\u202e\xff"
	job := &jobs.PipelineJob{DisplayName: evil, Jobs: jobs.Nodes{
		"a": &jobs.CommandNode{Component: azureml.Ref(evil), DisplayName: evil, Comment: evil, Compute: evil},
		"b": &jobs.CommandNode{Component: azureml.Ref("x"), Inputs: jobs.Inputs{"i": {Value: "${{parent.jobs.a.outputs.o}}"}, "n": {Value: "${{parent.jobs.none.outputs.o}}"}}},
		"c": nil,
	}}
	d := pipeline.Draw(job, &pipeline.DrawOptions{States: map[string]pipeline.State{"a": {Status: jobs.Status(evil)}}})
	require.NotContains(t, string(d.SVG()), "<script")
	texts(t, d.SVG())
	m := d.Mermaid()
	require.NotContains(t, m, "<script")
	require.NotContains(t, m, "\nclick")
	require.NotContains(t, m, "]; }")
	for _, line := range strings.Split(m, "\n") {
		require.Zero(t, strings.Count(line, "\"")%2, line)
	}
	for _, line := range strings.Split(d.DOT(), "\n") {
		require.Zero(t, strings.Count(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\"`, ""), "\"")%2, line)
	}
	texts(t, pipeline.Draw(nil, nil).SVG())
	texts(t, pipeline.DrawComponent(nil, nil).SVG())
	require.Contains(t, pipeline.Draw(nil, nil).Mermaid(), "flowchart TD")
}

// Files are drawn as what was built is, circles too, which cannot run.
func TestDrawFilesAndCircles(t *testing.T) {
	t.Parallel()
	bind := func(s string) jobs.Inputs {
		return jobs.Inputs{"i": {Value: "${{parent.jobs." + s + ".outputs.o}}"}}
	}
	job := &jobs.PipelineJob{Jobs: jobs.Nodes{
		"a": &jobs.CommandNode{Component: azureml.Ref("x"), Inputs: bind("c")},
		"b": &jobs.CommandNode{Component: azureml.Ref("x"), Inputs: bind("a")},
		"c": &jobs.CommandNode{Component: azureml.Ref("x"), Inputs: bind("b")},
		"d": &jobs.UnknownNode{},
	}}
	require.Equal(t, 3, strings.Count(string(pipeline.Draw(job, nil).SVG()), "<path class=\"edge\""))
}

func TestStates(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	children := func(yield func(*jobs.Run, error) bool) {
		for _, r := range []*jobs.Run{
			{Name: "p_prep", Status: jobs.Completed, Start: start, End: start.Add(time.Second)},
			{Name: "p_train", Status: jobs.Completed, Properties: map[string]string{"azureml.isreused": "true"}},
			{Name: "0c1f", DisplayName: "score", Status: jobs.Running, Start: start},
		} {
			if !yield(r, nil) {
				return
			}
		}
	}
	got, err := pipeline.States("p", children, start.Add(3*time.Second))
	require.NoError(t, err)
	require.Equal(t, map[string]pipeline.State{
		"prep": {Status: jobs.Completed, Duration: time.Second}, "train": {Status: jobs.Completed, Reused: true}, "score": {Status: jobs.Running, Duration: 3 * time.Second},
	}, got)
	_, err = pipeline.States("p", iter.Seq2[*jobs.Run, error](func(yield func(*jobs.Run, error) bool) { yield(nil, io.EOF) }), start)
	require.ErrorIs(t, err, io.EOF)
}

// An arrow at a pipeline in which the first step is a pipeline too ends at a box: Graphviz makes one of a name that it does
// not know.
func TestArrowsAtPipelinesInPipelines(t *testing.T) {
	deep := &jobs.PipelineComponent{Jobs: jobs.Nodes{"a": &jobs.CommandNode{Component: azureml.Ref("azureml:k:1")}}}
	outer := &jobs.PipelineComponent{Jobs: jobs.Nodes{"deep": &jobs.PipelineNode{Component: deep}}}
	text := pipeline.Draw(&jobs.PipelineJob{Jobs: jobs.Nodes{
		"pick": &jobs.IfElseNode{Condition: "true", TrueBlock: jobs.Block{"${{parent.jobs.work}}"}}, "work": &jobs.PipelineNode{Component: outer},
	}}, nil).DOT()
	require.Contains(t, text, "n0 -> n1_0_0 [")
	require.Contains(t, text, "lhead=cluster_n1")
	require.Contains(t, text, "n1_0_0 [label=\"a")
}

// A picture of a large graph grows as the graph does, also where a step is needed by all that come after it.
func TestLargeGraphsAreDrawn(t *testing.T) {
	nodes := jobs.Nodes{}
	for i := range 2000 {
		in := jobs.Inputs{"lr": jobs.Literal("${{parent.inputs.lr}}")}
		if i > 0 {
			in["before"] = jobs.Literal(fmt.Sprintf("${{parent.jobs.s%d.outputs.o}}", i-1))
		}
		nodes[fmt.Sprintf("s%d", i)] = &jobs.CommandNode{Component: azureml.Ref("azureml:k:1"), Inputs: in}
	}
	picture := pipeline.Draw(&jobs.PipelineJob{Jobs: nodes}, nil).SVG()
	require.Less(t, len(picture), 4<<20)
	require.Equal(t, 4000-1, bytes.Count(picture, []byte(`marker-end="`)), "all arrows are there")
}
