//go:build unix

package execution

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

func step1(component string, inputs m) m {
	return m{"type": "command", "componentId": component, "inputs": inputs}
}

// began is true of a job that was made.
func (w *world) began(name string) bool {
	_, err := w.e.Record(w.t.Context(), scope, name)
	return err == nil
}

var boolean = m{"type": "boolean"}

func TestIfElse(t *testing.T) {
	t.Parallel()
	for _, big := range []string{"true", "False"} {
		w := newWorld(t)
		ask := w.componentOf("ask", "echo "+big+" >${{outputs.more}}", nil, m{"more": boolean})
		say := w.componentOf("say", "echo ${{inputs.word}} >${{outputs.o}}/w", m{"word": m{"type": "string"}}, m{"o": folder})
		read := w.componentOf("read", "cat ${{inputs.i}}/w", m{"i": folder}, nil)
		out := m{"o": m{"type": "literal", "value": "${{parent.outputs.said}}"}}
		left, right := step1(say, m{"word": binding("left")}), step1(say, m{"word": binding("right")})
		left["outputs"], right["outputs"] = out, out
		r := w.run("p", pipelineJob(m{
			"ask": step1(ask, nil), "left": left, "right": right,
			"after":  step1(read, m{"i": binding("${{parent.jobs.left.outputs.o}}")}),
			"choose": m{"type": "if_else", "condition": "${{parent.jobs.ask.outputs.more}}", "true_block": "${{parent.jobs.left}}", "false_block": []string{"${{parent.jobs.right}}"}},
		}, m{"outputs": m{"said": m{"jobOutputType": "uri_folder"}}}))
		require.Nil(t, r.Error)
		ran, not, word := "left", "right", "left\n"
		if big == "False" {
			ran, not, word = "right", "left", "right\n"
		}
		require.Equal(t, Completed, w.wait(child("p", ran)).Status)
		require.False(t, w.began(child("p", not)), "the other block does not run")
		require.Equal(t, ran == "left", w.began(child("p", "after")), "what reads from a block that was left out is left out")
		require.Equal(t, word, w.get(scope.BlobContainer(), "azureml/p/said/w"))
	}
}

func TestDoWhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(scope.BlobContainer(), "start/n", "0\n")
	turn := w.componentOf("turn", `n=$(( $(cat ${{inputs.i}}/n) + ${{inputs.by}} )); echo $n >${{outputs.o}}/n; [ $n -lt 5 ] && echo True >${{outputs.more}} || echo False >${{outputs.more}}; echo $(( ${{inputs.by}} + 1 )) >${{outputs.next}}`,
		m{"i": folder, "by": integer}, m{"o": folder, "more": boolean, "next": integer})
	read := w.componentOf("read", "cp ${{inputs.i}}/n ${{outputs.o}}/seen", m{"i": folder}, m{"o": folder})
	body := step1(turn, m{"i": binding("${{parent.inputs.start}}"), "by": binding("1")})
	body["outputs"] = m{"o": m{"type": "literal", "value": "${{parent.outputs.last}}"}}
	last := step1(read, m{"i": binding("${{parent.jobs.turn.outputs.o}}")})
	last["outputs"] = m{"o": m{"type": "literal", "value": "${{parent.outputs.seen}}"}}
	jobs := m{"turn": body, "read": last,
		"again": m{"type": "do_while", "body": "${{parent.jobs.turn}}", "condition": "more", "mapping": m{"o": []string{"i"}, "next": "by"}, "limits": m{"max_iteration_count": 9}}}
	more := m{"inputs": m{"start": m{"jobInputType": "uri_folder", "uri": scope.DatastoreURI(arm.BlobStore, "start/")}},
		"outputs": m{"last": m{"jobOutputType": "uri_folder", "assetName": "last"}, "seen": m{"jobOutputType": "uri_folder"}}}
	r := w.run("p", pipelineJob(jobs, more))
	require.Nil(t, r.Error)
	require.Equal(t, "6\n", w.get(scope.BlobContainer(), "azureml/p/seen/seen"), "1, 3, 6: three rounds")
	c, err := w.e.Children(t.Context(), scope, "p")
	require.NoError(t, err)
	require.Len(t, c, 4)
	require.Len(t, w.registered, 1, "the last round's output alone is registered")
	require.Equal(t, r.Outputs["last"].URI, w.registered[0].URI)

	jobs["again"].(m)["limits"] = m{"max_iteration_count": 2}
	r = w.run("q", pipelineJob(jobs, more))
	require.Nil(t, r.Error)
	require.Equal(t, "3\n", w.get(scope.BlobContainer(), "azureml/q/seen/seen"), "no more rounds than allowed")
	c, err = w.e.Children(t.Context(), scope, "q")
	require.NoError(t, err)
	for _, x := range c[:2] {
		require.Equal(t, "true", x.Properties["azureml.isreused"], "rounds are reused like steps")
	}
}

func TestParallelFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.nodes = 8
	square := w.componentOf("square", `touch "`+w.dir+`/in.${{inputs.n}}"; [ $(ls "`+w.dir+`" | grep -c 'in\.') -le 2 ] || { echo too wide; exit 3; }; sleep 0.05; echo $(( ${{inputs.n}} * ${{inputs.n}} )) >${{outputs.o}}/n; echo ${{inputs.n}} >${{outputs.v}}; rm "`+w.dir+`/in.${{inputs.n}}"`, m{"n": integer}, m{"o": folder, "v": integer})
	sum := w.componentOf("sum", `cat ${{inputs.all}}/*/n | tr '\n' ' ' >${{outputs.o}}/sum; grep -c folder: ${{inputs.all}}/MLTable >>${{outputs.o}}/sum; echo '${{inputs.list}}' >>${{outputs.o}}/sum`, m{"all": m{"type": "mltable"}, "list": m{"type": "string"}}, m{"o": folder})
	collect := step1(sum, m{"all": binding("${{parent.jobs.each.outputs.o}}"), "list": binding("${{parent.jobs.each.outputs.v}}")})
	collect["outputs"] = m{"o": m{"type": "literal", "value": "${{parent.outputs.sum}}"}}
	list := w.componentOf("list", `echo '[{"n": 7}, {"n": 8}]' >${{outputs.items}}`, nil, m{"items": m{"type": "string"}})
	for name, items := range map[string]string{"a": `[{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]`, "b": `{"x": {"n": 5}, "y": {"n": "6"}}`, "c": "${{parent.jobs.list.outputs.items}}"} {
		r := w.run(name, pipelineJob(m{
			"list": step1(list, nil), "body": step1(square, nil), "collect": collect,
			"each": m{"type": "parallel_for", "body": "${{parent.jobs.body}}", "items": items, "max_concurrency": 2},
		}, m{"outputs": m{"sum": m{"jobOutputType": "uri_folder"}}}))
		require.Nil(t, r.Error)
		want := map[string]string{"a": "1 4 9 16 4\n[\"1\",\"2\",\"3\",\"4\"]\n", "b": "25 36 2\n{\"x\":\"5\",\"y\":\"6\"}\n", "c": "49 64 2\n[\"7\",\"8\"]\n"}[name]
		want = strings.ReplaceAll(want, `"`, "'")
		require.Equal(t, want, strings.ReplaceAll(w.get(scope.BlobContainer(), "azureml/"+name+"/sum/sum"), `"`, "'"))
	}
}

func TestBadControlFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.componentOf("c", "true", m{"a": integer}, m{"o": folder, "b": boolean})
	one := func() m { return step1(c, m{"a": binding("1")}) }
	loop := func(more m) m {
		d := m{"type": "do_while", "body": "${{parent.jobs.x}}", "condition": "b", "limits": m{"max_iteration_count": 2}}
		for k, v := range more {
			d[k] = v
		}
		return d
	}
	for want, jobs := range map[string]m{
		`there is no step "nope"; the steps are: l, x`:      {"x": one(), "l": loop(m{"body": "${{parent.jobs.nope}}"})},
		`want 1 to 1000, got 1001`:                          {"x": one(), "l": loop(m{"limits": m{"max_iteration_count": 1001}})},
		`the largest number of iterations is required`:      {"x": one(), "l": loop(m{"limits": m{}})},
		`the output "o" is of type uri_folder; a condition`: {"x": one(), "l": loop(m{"condition": "o"})},
		`the step "x" has no input "z"`:                     {"x": one(), "l": loop(m{"mapping": m{"o": "z"}})},
		`is the body of the loop "k" already`:               {"x": one(), "l": loop(nil), "k": loop(nil)},
		`the step "x" is in two blocks`:                     {"x": one(), "i": m{"type": "if_else", "condition": true, "true_block": "${{parent.jobs.x}}"}, "j": m{"type": "if_else", "condition": true, "true_block": "${{parent.jobs.x}}"}},
		`a step for true or for false is required`:          {"x": one(), "i": m{"type": "if_else", "condition": false}},
		`there are no items`:                                {"x": one(), "e": m{"type": "parallel_for", "body": "${{parent.jobs.x}}", "items": "[]"}},
		`all items have the same keys`:                      {"x": one(), "e": m{"type": "parallel_for", "body": "${{parent.jobs.x}}", "items": `[{"a": 1}, {"c": 2}]`}},
		`the step "x" has no input "q"`:                     {"x": one(), "e": m{"type": "parallel_for", "body": "${{parent.jobs.x}}", "items": `[{"q": 1}]`}},
		`the input takes a value of type integer`:           {"x": one(), "y": step1(c, m{"a": binding("${{parent.jobs.x.outputs.o}}")})},
		`reaches no databases`:                              {"x": m{"type": "data_transfer", "task": "import_data", "componentId": "azureml://registries/azureml/components/import_data_database/versions/0.0.1"}},
	} {
		err := arm.As(w.e.Check(t.Context(), scope, "p", pipelineJob(jobs, nil)))
		require.NotNil(t, err, want)
		all := err.Message
		for _, d := range err.Details {
			all += "\n" + d.Message
		}
		require.Contains(t, all, want)
	}
	err := arm.As(w.e.Check(t.Context(), scope, "p", pipelineJob(m{"x": one(), "y": one()}, m{"settings": m{"on_init": "z"}})))
	require.Contains(t, err.Message, `there is no step "z"`)
}

// on_init runs before all others, on_finalize behind them however they end.
func TestFirstAndLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	note := w.componentOf("note", `echo ${{inputs.a}} >>"`+w.dir+`/order"; [ ${{inputs.a}} != bad ]`, m{"a": m{"type": "string"}}, nil)
	jobs := m{}
	for _, n := range []string{"first", "bad", "last"} {
		jobs[n] = step1(note, m{"a": binding(n)})
	}
	r := w.run("p", pipelineJob(jobs, m{"settings": m{"default_compute": scope.Child(arm.Computes, "cpu"), "on_init": "first", "on_finalize": "last"}}))
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, "The step bad failed")
	for _, n := range []string{"first", "last"} {
		require.Equal(t, Completed, w.wait(child("p", n)).Status)
	}
	require.False(t, w.wait(child("p", "last")).Started.Before(w.wait(child("p", "bad")).Ended))
}
