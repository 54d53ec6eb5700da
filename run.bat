@echo off
rem Windows has no make: this file does what the Makefile does.
rem   run.bat            the demo month
rem   run.bat test       all tests
rem   run.bat lab        JupyterLab
rem   run.bat run 2018-10    a month of your own
chcp 65001 >nul
set PYTHONUTF8=1
where py >nul 2>nul
if errorlevel 1 (python "%~dp0setup_env.py" %*) else (py -3 "%~dp0setup_env.py" %*)
set code=%errorlevel%
rem a window that was opened by a double click stays until it was read
if not defined CI pause
exit /b %code%
