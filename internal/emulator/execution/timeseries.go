package execution

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/monitoring"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// A monitor keeps each value over time in a run of its own, as the service does: "MONITOR - Metrics" has a child for each
// signal, metric and feature, with the metrics value and threshold, whose step is the time of the monitor's run in seconds.

// timeseries adds the values to those runs, and gives their ids by name and group.
func (x *signalRun) timeseries(signal string, metrics []monitoring.Metric) (map[string]string, error) {
	monitor := x.literal("monitor_name")
	parent, err := x.series(monitor+" - Metrics", "", map[string]string{"azureml.monitor_name": monitor, "azureml.metric_name": "azureml.metrics"})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	r := x.j.snapshot()
	for _, m := range metrics {
		tags := map[string]string{"azureml.monitor_name": monitor, "azureml.signal_name": signal, "azureml.metric_name": m.Name}
		if m.Group != "" {
			tags["azureml.group_0"] = m.Group
		}
		id, err := x.series(signal+"_"+m.Name, parent, tags)
		if err != nil {
			return nil, err
		}
		at, step := x.at.UnixMilli(), x.at.Unix()
		points := []tracking.Metric{{Key: "value", Value: m.Value, Timestamp: at, Step: step}}
		if m.Threshold != nil {
			points = append(points, tracking.Metric{Key: "threshold", Value: *m.Threshold, Timestamp: at, Step: step})
		}
		if err := x.j.e.Tracking.LogMetrics(x.j.ctx, r.Scope.Key(), id, points); err != nil {
			return nil, err
		}
		out[m.Name+"\n"+m.Group] = id
	}
	return out, nil
}

// series finds or makes the run with these tags.
func (x *signalRun) series(name, parent string, tags map[string]string) (string, error) {
	r := x.j.snapshot()
	ws, e := r.Scope.Key(), x.j.e
	sum := sha256.New()
	for _, k := range sorted(tags) {
		sum.Write([]byte(k + "\n" + tags[k] + "\n")) // a hash's Write does not fail
	}
	sum.Write([]byte(r.ExperimentID))
	id := hex.EncodeToString(sum.Sum(nil)[:16])
	found := func() (bool, error) {
		_, err := e.Tracking.Run(x.j.ctx, ws, id)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	if ok, err := found(); ok || err != nil {
		return id, err
	}
	_, err := e.Tracking.CreateRun(x.j.ctx, ws, &tracking.NewRun{ID: id, ExperimentID: r.ExperimentID, Name: name, User: "local", Parent: parent, Status: "FINISHED", Start: e.Clock(), Tags: tags})
	if err != nil { // another signal of the monitor was first
		if ok, again := found(); ok {
			return id, again
		}
	}
	return id, err
}

// points are the metrics of the signal's own run: NAME, or NAME/FEATURE.
func (x *signalRun) points(metrics []monitoring.Metric) []tracking.Metric {
	out := make([]tracking.Metric, 0, len(metrics))
	for _, m := range metrics {
		key := m.Name
		if m.Group != "" {
			key += "/" + m.Group
		}
		key = strings.Map(func(r rune) rune {
			if r < 128 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("_-. /:", r)) {
				return r
			}
			return '_'
		}, key)
		out = append(out, tracking.Metric{Key: key, Value: m.Value, Timestamp: x.at.UnixMilli(), Step: x.at.Unix()})
	}
	return out
}

// tag sets tags of a run.
func (x *signalRun) tag(run string, tags map[string]string) error {
	u := &tracking.RunUpdate{Tags: map[string]*string{}}
	for k, v := range tags {
		u.Tags[k] = &v
	}
	return x.j.e.Tracking.UpdateRun(x.j.ctx, x.j.snapshot().Scope.Key(), run, u)
}
