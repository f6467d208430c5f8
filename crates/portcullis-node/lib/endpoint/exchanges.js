'use strict';

const { pick, refuseUnknown } = require('../library.js');
const { expected, isOptions } = require('../values.js');
const { Asking } = require('./asking.js');

/** The members of the target of an exchange. */
const TARGET = ['audience', 'resource', 'scope', 'tokenType'];

/** Exchanges tokens at an authorization server (RFC 8693): made by `exchanger`, used by the option `exchange` of `secure`. */
class Exchanger extends Asking {}

/** Reads the exchanges of an endpoint, by their names: each an object with `by`, its exchanger, and its target, or an array of these. */
function readExchanges(owner, name, value) {
  if (!isOptions(value)) {
    throw expected(owner, name, 'an object of exchanges by their names', value);
  }
  return Object.entries(value).flatMap(([called, exchanges]) =>
    [exchanges].flat().map((exchange) => readExchange(owner, `${name}.${called}`, called, exchange)));
}

function readExchange(owner, place, name, exchange) {
  const by = Exchanger.nativeOf(exchange?.by);
  if (by === undefined) {
    throw expected(owner, `${place}.by`, 'an exchanger', exchange?.by);
  }
  refuseUnknown(exchange, ['by', ...TARGET], `${owner}: ${place}`);
  const { scope } = exchange;
  const target = { ...pick(exchange, TARGET), scope: typeof scope === 'string' ? scope.split(' ').filter(Boolean) : scope };
  return { place, name, by, target: JSON.stringify(target) };
}

module.exports = { Exchanger, readExchanges };
