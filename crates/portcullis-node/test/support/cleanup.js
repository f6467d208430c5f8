'use strict';

const tasks = new WeakMap();

/** Runs `task` when the test `t` has ended: the last task first, and each even if others fail. */
function atEnd(t, task) {
  if (!tasks.has(t)) {
    tasks.set(t, []);
    t.after(() => runAll(tasks.get(t)));
  }
  tasks.get(t).unshift(task);
}

async function runAll(tasks) {
  const failures = [];
  for (const task of tasks) {
    try {
      await task();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) {
    throw failures[0];
  }
}

module.exports = { atEnd };
