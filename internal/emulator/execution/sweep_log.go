package execution

import (
	"fmt"
	"math"
	"strconv"
)

// hyperdriveLog is where Azure writes how a sweep goes.
const hyperdriveLog = "azureml-logs/hyperdrive.txt"

// sweepLog is a sweep's own log: which trials were begun with which values, and what they came to.
type sweepLog struct{ *executionLog }

func (l sweepLog) say(part, format string, args ...any) {
	l.line("[" + l.j.e.Clock().UTC().Format("2006-01-02T15:04:05.000000") + "][" + part + "][INFO]" + fmt.Sprintf(format, args...))
}

// began says that a trial was submitted; values are as they were drawn.
func (l sweepLog) began(name, values string) {
	l.say("SCHEDULER", "Successfully scheduled a job. Id='%s', values=%s", name, values)
}

// all says that no further trials follow.
func (l sweepLog) all(started, most int) {
	if started == most {
		l.say("GENERATOR", "Max number of jobs '%d' reached for this experiment.", most)
	} else {
		l.say("GENERATOR", "All combinations of values are sampled, with '%d' jobs.", started)
	}
}

func (l sweepLog) stopped(name, metric string, value float64) {
	l.say("ENFORCER", "Job '%s' is canceled by the early termination policy; its last value of %s is %s.", name, metric, number(value))
}

func (l sweepLog) ended(r *Record, metric string, t *trialRun) {
	how := "logged no value of " + metric
	if !math.IsNaN(t.loss) {
		how = "its best value of " + metric + " is " + number(t.metric)
	}
	l.say("CONTROLLER", "Job '%s' ended as %s; %s.", r.Name, r.Status, how)
}

// over says what the sweep came to.
func (l sweepLog) over(best *trialRun, err error) {
	switch {
	case err != nil:
		l.say("CONTROLLER", "Experiment was 'ExperimentStatus.RUNNING', is 'ExperimentStatus.CANCELED': %v.", err)
	case best != nil:
		l.say("CONTROLLER", "Experiment was 'ExperimentStatus.RUNNING', is 'ExperimentStatus.FINISHED'. The best job is '%s' with %s.", best.name, number(best.metric))
	default:
		l.say("CONTROLLER", "Experiment was 'ExperimentStatus.RUNNING', is 'ExperimentStatus.FINISHED'. There is no best job.")
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
