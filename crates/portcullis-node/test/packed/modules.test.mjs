import { check } from './checks.cjs';

check((path) => import(path));
