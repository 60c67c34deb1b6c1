// Predictions and true labels → intervals, precision, recall, F1, calibration error, against independent values.
import t from 'tap';
import { classificationReport, reportText } from '../../../src/toolkit/evaluation/classification-report.js';
import { reliability } from '../../../src/toolkit/evaluation/reliability.js';
import { wilsonInterval } from '../../../src/toolkit/evaluation/wilson.js';

function near(
  t: { ok(value: boolean, message: string): boolean },
  got: number | undefined,
  expected: number,
  within = 5e-4,
) {
  t.ok(Math.abs((got ?? Number.NaN) - expected) <= within, `${got} is ${expected}`);
}

t.test("Wilson's interval equals published tables, and stays within 0…1", async (t) => {
  for (const [right, count, low, high] of [
    [0, 10, 0, 0.2775],
    [5, 10, 0.2366, 0.7634],
    [10, 10, 0.7225, 1],
    [9927, 10_000, 0.9908, 0.9942],
  ] as const) {
    const interval = wilsonInterval(right, count);
    near(t, interval.low, low);
    near(t, interval.high, high);
    t.ok(interval.low >= 0 && interval.high <= 1);
  }
});

// The example of scikit-learn's documentation of classification_report.
const report = classificationReport([0, 1, 2, 2, 2], [0, 0, 2, 2, 1], ['class 0', 'class 1', 'class 2']);

t.test('precision, recall and F1 equal those of scikit-learn', async (t) => {
  const expected = [
    [0.5, 1, 2 / 3, 1],
    [0, 0, 0, 1],
    [1, 2 / 3, 0.8, 3],
  ];
  const got = report.classes.map(({ precision, recall, f1, support }) => [precision, recall, f1, support]);
  for (const [i, row] of expected.entries())
    for (const [j, value] of row.entries()) near(t, got[i]?.[j], value, 1e-12);
  t.equal(report.accuracy, 0.6);
  for (const [key, value] of Object.entries({ precision: 0.5, recall: 5 / 9, f1: 22 / 45, support: 5 }))
    near(t, report.macro[key as 'f1'], value, 1e-12);
  for (const [key, value] of Object.entries({ precision: 0.7, recall: 0.6, f1: 46 / 75, support: 5 }))
    near(t, report.weighted[key as 'f1'], value, 1e-12);
});

t.test('rows of the confusion matrix are true labels, columns are predicted labels', async (t) => {
  t.strictSame(report.confusion, [
    [1, 0, 0],
    [1, 0, 0],
    [0, 1, 2],
  ]);
});

t.test('a label that is neither true nor predicted does not count in the macro average', async (t) => {
  const three = classificationReport([0, 0, 1, 1], [0, 0, 1, 1], ['a', 'b', 'never']);
  t.strictSame(three.macro, { precision: 1, recall: 1, f1: 1, support: 4 });
});

t.test('the report as text has one line per class, and the averages', async (t) => {
  const lines = reportText(report).split('\n');
  t.match(lines[0], /^ +precision +recall +f1-score +support$/);
  t.match(lines[4], /^ +class 2 +1\.0000 +0\.6667 +0\.8000 +3$/);
  t.match(lines[6], /^ +accuracy +0\.6000 +5$/);
  t.match(lines[7], /^ +macro avg +0\.5000 +0\.5556 +0\.4889 +5$/);
});

t.test('the calibration error weights each bin by its images', async (t) => {
  // Two bins of ten: 0.95 and 0.93 with one right of two; 0.55 and right.
  const { bins, expectedCalibrationError } = reliability([0.95, 0.93, 0.55], [1, 0, 1], 10);
  near(t, expectedCalibrationError, (2 / 3) * 0.44 + (1 / 3) * 0.45, 1e-9);
  t.match(bins[9], { from: 0.9, to: 1, images: 2, accuracy: 0.5 });
  t.equal(
    bins.reduce((sum, { images }) => sum + images, 0),
    3,
  );
});

t.test('confidences of 0 and 1 are in the first and the last bin', async (t) => {
  const { bins, expectedCalibrationError } = reliability([0, 1, 1], [0, 1, 1]);
  t.equal(bins[0]?.images, 1);
  t.equal(bins[14]?.images, 2);
  t.equal(expectedCalibrationError, 0);
});
