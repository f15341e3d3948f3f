package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/azureml-go/azureml"
)

// ScheduleSource is what makes a schedule: a *Schedule, or its builder.
type ScheduleSource interface {
	// plain gives the schedule as far as it has been made, with what was wrong; nil when there is none.
	plain() (*Schedule, azureml.Faults)
}

func (s *Schedule) plain() (*Schedule, azureml.Faults) { return s, nil }

// ScheduleBuilder makes a Schedule step by step. What is wrong is kept and comes out at Build, all of it;
// ScheduleClient.BeginCreate reports it with what else is wrong.
type ScheduleBuilder struct {
	s      Schedule
	faults azureml.Faults
}

// OnSchedule begins a schedule that acts when a trigger says so: jobs.Cron("0 2 * * *"), jobs.Every(1, jobs.Day). What it
// does is said by Run, Rerun, Watch, Invoke or Import.
func OnSchedule(name string, t Trigger) *ScheduleBuilder {
	return &ScheduleBuilder{s: Schedule{Name: name, Trigger: t}}
}

func (b *ScheduleBuilder) fault(field, format string, a ...any) *ScheduleBuilder {
	b.faults = append(b.faults, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	return b
}

func (b *ScheduleBuilder) do(a Action) *ScheduleBuilder {
	if b.s.Action != nil {
		return b.fault("action", "is set twice: a schedule does one thing")
	}
	b.s.Action = a
	return b
}

// Run starts a job: a pipeline or, as a preview of the service, a command or Spark job. Builders are taken as they are.
func (b *ScheduleBuilder) Run(job Spec) *ScheduleBuilder {
	if job == nil {
		return b.fault("create_job", "there is no job")
	}
	return b.do(&ScheduledJob{Job: job})
}

// Rerun starts a job again that has run, by its name or id.
func (b *ScheduleBuilder) Rerun(job azureml.Ref) *ScheduleBuilder {
	return b.do(&ScheduledJob{Source: job})
}

// Watch watches a model in production: a *Monitor, or its builder.
func (b *ScheduleBuilder) Watch(m MonitorSource) *ScheduleBuilder {
	if m == nil {
		return b.fault("create_monitor", "there is no monitor")
	}
	monitor, faults := m.monitor()
	for _, f := range faults {
		b.faults = append(b.faults, &azureml.Fault{Field: "create_monitor." + f.Field, Message: f.Message, Cause: f.Cause})
	}
	if monitor == nil {
		return b.fault("create_monitor", "the monitor is nil")
	}
	return b.do(monitor)
}

// Import brings data in from outside the workspace.
func (b *ScheduleBuilder) Import(i *DataImport) *ScheduleBuilder {
	if i == nil {
		return b.fault("import_data", "what is imported is nil")
	}
	c := *i
	return b.do(&c)
}

// Display sets the name that people see.
func (b *ScheduleBuilder) Display(name string) *ScheduleBuilder {
	b.s.DisplayName = name
	return b
}

// Describe sets the description.
func (b *ScheduleBuilder) Describe(text string) *ScheduleBuilder {
	b.s.Description = text
	return b
}

// Tag adds a tag.
func (b *ScheduleBuilder) Tag(key, value string) *ScheduleBuilder {
	if f := tag(&b.s.Tags, key, value); f != "" {
		return b.fault("tags."+key, "%s", f)
	}
	return b
}

// Disabled makes a schedule that is switched off: ScheduleClient.BeginEnable switches it on.
func (b *ScheduleBuilder) Disabled() *ScheduleBuilder {
	b.s.Enabled = new(bool)
	return b
}

// Build gives the schedule, or every fault that was met. It can be called again.
func (b *ScheduleBuilder) Build() (*Schedule, error) {
	if b == nil {
		return nil, errors.New("jobs: the builder is nil")
	}
	s, faults := b.plain()
	c := &checker{faults: faults}
	s.check(context.Background(), c)
	if err := c.faults.Err(); err != nil {
		return nil, fmt.Errorf("jobs: build: %w", err)
	}
	return s, nil
}

func (b *ScheduleBuilder) plain() (*Schedule, azureml.Faults) {
	if b == nil {
		return nil, nil
	}
	s := b.s
	s.Tags = maps.Clone(s.Tags)
	return &s, slices.Clone(b.faults)
}

// wall is a moment as triggers write it: on its own clock.
func wall(t time.Time) WallTime { return WallTime(t.Format("2006-01-02T15:04:05")) }

// From is the trigger that acts from a time on. The time is read off as it is, on the clocks of the trigger's zone.
func (t *CronTrigger) From(start time.Time) *CronTrigger {
	c := *t
	c.StartTime = wall(start)
	return &c
}

// Until is the trigger that acts up to a time, read off as it is.
func (t *CronTrigger) Until(end time.Time) *CronTrigger {
	c := *t
	c.EndTime = wall(end)
	return &c
}

// From is the trigger that acts from a time on. The time is read off as it is, on the clocks of the trigger's zone.
func (t *RecurrenceTrigger) From(start time.Time) *RecurrenceTrigger {
	c := *t
	c.StartTime = wall(start)
	return &c
}

// Until is the trigger that acts up to a time, read off as it is.
func (t *RecurrenceTrigger) Until(end time.Time) *RecurrenceTrigger {
	c := *t
	c.EndTime = wall(end)
	return &c
}
