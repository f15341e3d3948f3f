package execution

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/process"
)

// initTries is how often a process is started whose init fails, before the run is given up.
const initTries = 3

// pool has mini-batches scored by processes side by side.
type pool struct {
	j       *job
	plan    *parallelPlan
	batches []*miniBatch
	logs    *parallelLogs
	// start makes the process of one worker; env is what tells it from others.
	start func(id string, env []string, stderr *os.File) (*scorer, error)

	ctx  context.Context
	stop context.CancelCauseFunc

	mu           sync.Mutex
	next         int // first mini-batch that nobody took
	begun        bool
	done, failed int
	items, bad   int
	waiting      map[int][]string // results that came before their turn
	turn         int              // whose results are written next
	rows         *bufio.Writer    // nil for summary_only
	rowsErr      error
	agents       map[int]int // by node: the number of its next process
	progressed   chan struct{}
	last         string // why a mini-batch failed last
}

// run scores all mini-batches and returns why it did not come to that, or what
// thresholds were passed.
func (p *pool) run() error {
	p.ctx, p.stop = context.WithCancelCause(p.j.ctx)
	defer p.stop(nil)
	p.waiting, p.agents, p.progressed = map[int][]string{}, map[int]int{}, make(chan struct{}, 1)
	n := p.plan.nodes() * p.plan.perNode
	var wg sync.WaitGroup
	for w := range min(n, len(p.batches)) {
		// Nodes are filled in turn, as they come up side by side.
		node := w % p.plan.nodes()
		wg.Go(func() { p.work(node) })
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch()
	}()
	wg.Wait()
	err := context.Cause(p.ctx)
	p.stop(nil)
	<-watched
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rowsErr != nil {
		return p.rowsErr
	}
	if p.items-p.bad <= 0 {
		return userError("There is no succeeded mini batch item returned from run(). Please check 'response: run()' in https://aka.ms/batch-inference-documentation.%s", p.because())
	}
	return nil
}

// because is the last failure, for a sentence's end.
func (p *pool) because() string {
	if p.last == "" {
		return ""
	}
	return " The last error: " + p.last
}

// watch ends the run when nothing begins, or nothing goes on, for too long.
func (p *pool) watch() {
	t := time.NewTimer(p.plan.firstTimeout)
	defer t.Stop()
	begun := false
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.progressed:
			begun = true
			t.Stop()
			if p.plan.progressTimeout > 0 {
				t.Reset(p.plan.progressTimeout)
			}
		case <-t.C:
			if begun {
				p.stop(userError("No progress update in %d seconds (progress_update_timeout).", int(p.plan.progressTimeout.Seconds())))
			} else {
				p.stop(userError("No mini-batch began within %d seconds (first_task_creation_timeout).", int(p.plan.firstTimeout.Seconds())))
			}
			return
		}
	}
}

func (p *pool) tick() {
	select {
	case p.progressed <- struct{}{}:
	default:
	}
}

// take gives out the next mini-batch, nil when there is none.
func (p *pool) take() *miniBatch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next >= len(p.batches) || p.ctx.Err() != nil {
		return nil
	}
	p.next++
	return p.batches[p.next-1]
}

// agent is one worker: a process, and after it failed another.
type agent struct {
	p    *pool
	node int
	name string
	s    *scorer
}

// work scores mini-batches until there are none.
func (p *pool) work(node int) {
	a := &agent{p: p, node: node}
	for b := p.take(); b != nil; b = p.take() {
		if !a.batch(b) {
			break
		}
	}
	if a.s == nil {
		return
	}
	if p.ctx.Err() != nil {
		a.s.kill(grace)
		return
	}
	if st := a.s.end(p.ctx, grace); !st.Success() && p.ctx.Err() == nil {
		p.logs.note("%s on node %d did not end well after its last mini-batch: it %s", a.name, node, st)
	}
}

// ready has a process that is past init; its error ends the run.
func (a *agent) ready() error {
	p := a.p
	var why error
	for range initTries {
		if a.s != nil {
			return nil
		}
		p.mu.Lock()
		a.name = fmt.Sprintf("process%03d", p.agents[a.node])
		p.agents[a.node]++
		p.mu.Unlock()
		stdout, err := p.logs.open(fmt.Sprintf("logs/user/stdout/%d/%s.stdout.txt", a.node, a.name))
		if err != nil {
			return err
		}
		stderr, err := p.logs.open(fmt.Sprintf("logs/user/stderr/%d/%s.stderr.txt", a.node, a.name))
		if err != nil {
			return err
		}
		env := []string{"AZUREML_LOCAL_STDOUT=" + stdout.Name(), "AZUREML_LOCAL_AGENT=" + a.name, fmt.Sprintf("AZUREML_LOCAL_NODE=%d", a.node), fmt.Sprintf("AZUREML_NODE_COUNT=%d", p.plan.nodes())}
		s, err := p.start(fmt.Sprintf("%d.%s", a.node, a.name), env, stderr)
		if err != nil {
			return userError("the entry script could not be started: %v", err)
		}
		a.log("started, process id %d", s.proc.PID())
		answer, err := s.next(p.ctx, p.plan.startTimeout)
		if err == nil && answer.Error != "" {
			a.trace(answer)
			err = errors.New(answer.Error)
		}
		if err == nil && !answer.Ready {
			err = errors.New("its first line did not say that it is ready")
		}
		if err == nil {
			a.s = s
			return nil
		}
		s.kill(0)
		if p.ctx.Err() != nil {
			return context.Cause(p.ctx)
		}
		if errors.Is(err, errTooLong) {
			err = fmt.Errorf("it took longer than %d seconds (task_overhead_timeout)", int(p.plan.startTimeout.Seconds()))
		}
		a.log("init failed: %v", err)
		p.logs.note("%s on node %d: init failed: %v", a.name, a.node, err)
		why = err
	}
	return userError("init() of the entry script failed %d times: %v%s", initTries, why, a.tail())
}

// tail is the end of what the process wrote to standard error, for a message.
func (a *agent) tail() string {
	t := a.p.j.tail(fmt.Sprintf("logs/user/stderr/%d/%s.stderr.txt", a.node, a.name), 20, 4096)
	if t == "" {
		return ""
	}
	return " Error: " + t
}

// batch scores one mini-batch, and tries again as often as may be. False ends the worker.
func (a *agent) batch(b *miniBatch) bool {
	p := a.p
	var why error
	for try := 1; try <= p.plan.tries; try++ {
		if err := a.ready(); err != nil {
			p.stop(err)
			return false
		}
		if try == 1 {
			p.mu.Lock()
			first := !p.begun
			p.begun = true
			p.mu.Unlock()
			if first {
				p.tick()
			}
		}
		began := p.j.e.Clock()
		answer, err := a.s.score(p.ctx, b, p.plan.timeout)
		took := p.j.e.Clock().Sub(began).Round(time.Millisecond)
		if p.ctx.Err() != nil {
			return false
		}
		if err == nil && answer.Error == "" {
			total := b.items
			if answer.Items != nil {
				total = *answer.Items
			}
			a.log("mini-batch %d: try %d: %d items, %d succeeded, %s", b.Index, try, total, answer.count(), took)
			p.finished(b, total, answer, nil)
			return p.ctx.Err() == nil
		}
		switch {
		case err == nil:
			a.trace(answer)
			why = errors.New(answer.Error)
		case errors.Is(err, errTooLong):
			why = fmt.Errorf("the run() function in the entry script took longer than its timeout of %d seconds", int(p.plan.timeout.Seconds()))
			a.s.kill(0)
			a.s = nil
		default: // the process is not to be trusted any more
			a.s.kill(0)
			why = fmt.Errorf("%w.%s", err, a.tail())
			a.s = nil
		}
		a.log("mini-batch %d: try %d of %d failed after %s: %v", b.Index, try, p.plan.tries, took, why)
		p.logs.note("mini-batch %d: try %d of %d failed in %s on node %d: %v", b.Index, try, p.plan.tries, a.name, a.node, why)
	}
	p.finished(b, b.items, nil, why)
	return p.ctx.Err() == nil
}

func (a *agent) log(format string, args ...any) {
	a.p.logs.say(format, args, fmt.Sprintf("logs/sys/node/%d/%s.txt", a.node, a.name))
}

// trace keeps where a script failed.
func (a *agent) trace(s *scored) {
	text := strings.TrimSpace(s.Trace)
	if text == "" {
		text = s.Error
	}
	a.p.logs.say("%s", []any{text}, fmt.Sprintf("logs/user/error/%d/%s.txt", a.node, a.name))
}

// finished takes note of a mini-batch that is over, and ends the run when a
// threshold is passed.
func (p *pool) finished(b *miniBatch, items int, answer *scored, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	bad := items
	if answer != nil {
		bad = max(items-answer.count(), 0)
	}
	if why != nil && items == 0 {
		items, bad = 1, 1 // a table that nobody counted
	}
	p.done++
	p.items += items
	p.bad += bad
	// With an error_threshold of -1 nobody asks how many results run returned.
	if why != nil || bad > 0 && p.plan.itemErrors >= 0 {
		p.failed++
	}
	if why != nil {
		p.last = why.Error()
		p.logs.say("mini-batch %d (%s): %v", []any{b.Index, shortList(b.Files), why}, errorLog)
	} else if bad > 0 {
		p.last = fmt.Sprintf("run() returned %d results for the %d items of mini-batch %d", answer.count(), items, b.Index)
		p.logs.say("mini-batch %d: %s", []any{b.Index, p.last}, errorLog)
	}
	p.logs.progress("%d of %d mini-batches processed, %d failed; %d items, %d failed", p.done, len(p.batches), p.failed, p.items, p.bad)
	p.tick()
	p.keep(b.Index, answer)
	var over error
	switch {
	case p.plan.itemErrors >= 0 && p.bad > p.plan.itemErrors:
		over = userError("The number of failed items, %d, has exceeded the error_threshold of %d.%s", p.bad, p.plan.itemErrors, p.because())
	case p.plan.batchErrors >= 0 && p.failed > p.plan.batchErrors:
		over = userError("The number of failed mini-batches, %d, has exceeded the mini_batch_error_threshold of %d.%s", p.failed, p.plan.batchErrors, p.because())
	case p.failed*100 > p.plan.percent*len(p.batches):
		over = userError("%d of %d mini-batches failed, more than the allowed_failed_percent of %d.%s", p.failed, len(p.batches), p.plan.percent, p.because())
	}
	if over != nil {
		p.stop(over)
	}
}

// keep writes results in the order of the mini-batches.
func (p *pool) keep(index int, answer *scored) {
	if p.rows == nil {
		return
	}
	var rows []string
	if answer != nil {
		rows = answer.Results
	}
	p.waiting[index] = rows
	for {
		rows, ok := p.waiting[p.turn]
		if !ok {
			return
		}
		delete(p.waiting, p.turn)
		p.turn++
		for _, r := range rows {
			if _, err := p.rows.WriteString(r + "\n"); err != nil && p.rowsErr == nil {
				p.rowsErr = err
				p.stop(err)
			}
		}
	}
}

func shortList(files []string) string {
	const most = 5
	names := make([]string, 0, most)
	for i, f := range files {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(files)-most))
			break
		}
		names = append(names, f[strings.LastIndexAny(f, `/\`)+1:])
	}
	return strings.Join(names, ", ")
}

// scorerSpec is the process of one worker of a job.
func (j *job) scorerSpec(id, program string, args []string, dir string, env []string, stderr *os.File) process.Spec {
	r := j.snapshot()
	s := process.Spec{ID: processID(r, 0) + "." + id, Path: program, Args: args, Dir: dir, Env: env, Stderr: stderr, Record: j.e.records(), Shelf: j.e.shelf}
	return s
}
