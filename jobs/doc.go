// Package jobs defines, submits and follows Azure Machine Learning jobs.
package jobs
