"""Trains a classifier of scikit-learn on its wine table and saves it as an MLflow model: train.py FOLDER prints rows and what the model says of them."""

import json
import sys
import warnings

import mlflow.sklearn
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main():
    warnings.simplefilter("ignore")
    x, y = load_wine(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    mlflow.sklearn.save_model(model, sys.argv[1], signature=mlflow.models.infer_signature(x, model.predict(x)), pip_requirements=["scikit-learn"], serialization_format="cloudpickle")
    rows = x.iloc[::20]
    print(json.dumps({"columns": list(rows.columns), "data": rows.values.tolist(), "predictions": model.predict(rows).tolist()}))


if __name__ == "__main__":
    main()
